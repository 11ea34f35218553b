//! What must be known of a data set before anything is trained on it.

use super::paper::{Paper, PublishedData, PublishedModality};
use equipoise_data::{DataError, SplitFacts, SplitFamily};
use equipoise_train::DataConfig;
use std::path::{Path, PathBuf};

/// A data set's identity.
#[derive(Clone, Debug)]
pub struct DataFacts {
    /// Its name on the command line.
    pub name: String,
    /// Its directory, absolute.
    pub path: PathBuf,
    /// Fingerprint of its train data, features and ids.
    pub fingerprint: String,
    /// Users.
    pub users: usize,
    /// Items.
    pub items: usize,
    /// Sizes and rule of its splits.
    pub splits: SplitFacts,
    /// Modalities and their widths, in order.
    pub modalities: Vec<(String, usize)>,
}

impl DataFacts {
    /// Reads the data set `name`: the folder of that name in `root`, or `root` itself if there is none. `like` says
    /// which modalities and at which scale.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn read(root: &Path, name: &str, like: &DataConfig) -> Result<DataFacts, DataError> {
        let inside = root.join(name);
        let path = if inside.is_dir() { inside } else { root.to_owned() };
        let path = path.canonicalize().map_err(|source| DataError::Io { file: path, source })?;
        let loaded = DataConfig { path: path.clone(), ..like.clone() }.load()?;
        let modalities =
            loaded.data.modalities.iter().map(|m| (m.name.clone(), m.features.width())).collect();
        Ok(DataFacts {
            name: name.to_owned(),
            path,
            fingerprint: loaded.data.fingerprint(),
            users: loaded.data.n_users(),
            items: loaded.data.n_items(),
            splits: loaded.split_facts(),
            modalities,
        })
    }

    /// Interactions of all splits.
    pub fn interactions(&self) -> usize {
        self.splits.train + self.splits.validation + self.splits.test
    }

    /// What differs from the paper's data of that name, a sentence each.
    pub fn differences(&self, paper: &Paper) -> Vec<String> {
        let Some(published) = paper.datasets.get(&self.name) else {
            return vec![format!("{} is no data set of the paper.", self.name)];
        };
        let mut list = self.size_differences(published);
        let splits = self.splits;
        if splits.family != paper.split {
            list.push(format!(
                "{}: its split follows no published rule ({} train, {} validation, {} test); the paper's is {}.",
                published.title, splits.train, splits.validation, splits.test, paper.split
            ));
        } else {
            list.push(format!(
                "{}: same split rule, but not the paper's own draw, which cannot be had.",
                published.title
            ));
        }
        for (name, modality) in &paper.modalities {
            list.extend(self.feature_difference(published, name, modality));
        }
        list
    }

    fn size_differences(&self, published: &PublishedData) -> Vec<String> {
        let here = (self.users, self.items, self.interactions());
        let there = (published.users, published.items, published.interactions);
        if here == there {
            return Vec::new();
        }
        vec![format!(
            "{}: {} users, {} items, {} interactions; the paper's has {}, {} and {}.",
            published.title, here.0, here.1, here.2, there.0, there.1, there.2
        )]
    }

    fn feature_difference(
        &self,
        published: &PublishedData,
        name: &str,
        modality: &PublishedModality,
    ) -> Option<String> {
        let title = &published.title;
        match self.modalities.iter().find(|(own, _)| modality.names.contains(own)) {
            None => Some(format!("{title}: no {name} features.")),
            Some((_, width)) if *width != modality.width => Some(format!(
                "{title}: {name} features have {width} columns, the paper's {}: they are other features.",
                modality.width
            )),
            Some(_) => None,
        }
    }
}

/// Whether these data sets may stand in one table, beside the paper's numbers if `published`.
///
/// # Errors
/// What must not be mixed, and what to do.
pub fn one_family(data: &[DataFacts], paper: &Paper, published: bool) -> Result<(), String> {
    let named = |d: &DataFacts| format!("{} ({} split)", d.name, d.splits.family);
    if let Some(other) = data.iter().find(|d| d.splits.family != data[0].splits.family) {
        return Err(format!(
            "--dataset: {} and {} were split by different rules, and their numbers do not belong in one table; reproduce \
             them one at a time, each into its own --out",
            named(&data[0]),
            named(other)
        ));
    }
    match data.iter().find(|d| d.splits.family == SplitFamily::Mmrec && d.splits.family != paper.split) {
        Some(other) if published => Err(format!(
            "--dataset: {} does not belong beside the paper's numbers, which are of {} splits; use data that was split \
             so, or leave the paper's numbers out with --without-published",
            named(other),
            paper.split
        )),
        _ => Ok(()),
    }
}
