//! What every layout is written from.

use std::path::{Path, PathBuf};

use super::{Conversion, Target};
use crate::categories::Categories;
use crate::dataset::Loaded;
use crate::error::DataError;
use crate::faults::Faults;
use crate::features::Features;
use crate::formats::native::ModalityEntry;
use crate::formats::{Gathered, Split};
use crate::interactions::Interactions;
use crate::missing::Missing;
use crate::scale::FeatureScale;
use crate::vocabulary::Vocabulary;

/// A data set with all that a layout may want to keep.
pub(super) struct Contents {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) vocabulary: Vocabulary,
    /// Distinct pairs in the order of the source, with their moments where those are known.
    pub(super) splits: [Split; 3],
    pub(super) modalities: Vec<Content>,
    pub(super) categories: Option<Categories>,
    pub(super) notes: Vec<String>,
    pub(super) test: Interactions,
    pub(super) fingerprint: String,
}

/// One modality, scaled, with where it comes from.
pub(super) struct Content {
    pub(super) name: String,
    pub(super) features: Features,
    /// The items that lack it, if that is known.
    pub(super) missing: Option<Missing>,
    provenance: String,
    scale: FeatureScale,
}

impl Contents {
    /// Checks what was read and gives the features their scale.
    pub(super) fn new(
        path: &Path,
        mut gathered: Gathered,
        scale: FeatureScale,
    ) -> Result<Contents, DataError> {
        gathered.verify(&mut Faults::stop_at_first())?;
        let splits = gathered.splits.each_ref().map(|split| split.as_ref().map(distinct).unwrap_or_default());
        let files: Vec<PathBuf> = gathered.modalities.iter().map(|m| m.file.clone()).collect();
        gathered.name = gathered.name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let Loaded { data, test } = gathered.assemble(path)?;
        let unsafe_name = |name: &str| {
            name.starts_with('.') || name.contains(['/', '\\']) || name.contains(char::is_control)
        };
        if let Some(m) = data.modalities.iter().find(|m| unsafe_name(&m.name)) {
            let expected = "a name that can be part of a file's".into();
            return Err(DataError::Setting { field: "modality", found: m.name.clone(), expected });
        }
        let data = data.scaled(scale);
        let fingerprint = data.fingerprint();
        let modalities = data.modalities.into_iter().zip(files).map(|(m, file)| Content {
            name: m.name,
            features: m.features,
            missing: m.missing,
            provenance: file.display().to_string(),
            scale,
        });
        Ok(Contents {
            name: data.name,
            source: data.format,
            vocabulary: data.vocabulary,
            splits,
            modalities: modalities.collect(),
            categories: data.categories,
            notes: data.notes,
            test: test.open().clone(),
            fingerprint,
        })
    }

    /// Whether every interaction has its moment.
    pub(super) fn dated(&self) -> bool {
        self.splits.iter().all(|s| s.times.len() == s.pairs.len())
    }

    /// What is said of the conversion.
    pub(super) fn conversion(&self, path: &Path, target: Target, scale: FeatureScale) -> Conversion {
        Conversion {
            version: 1,
            from: path.display().to_string(),
            from_layout: self.source.clone(),
            layout: target.name(),
            users: self.vocabulary.users().len(),
            items: self.vocabulary.items().len(),
            interactions: self.splits.each_ref().map(|s| s.pairs.len()),
            modalities: self.modalities.iter().map(|m| m.name.clone()).collect(),
            scale,
            fingerprint: self.fingerprint.clone(),
            notes: self.notes.clone(),
        }
    }

    /// A name that can be part of a file's.
    pub(super) fn file_name(&self) -> String {
        let safe = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
        self.name.chars().map(safe).collect()
    }
}

impl Content {
    /// As the manifest names it.
    pub(super) fn entry(&self, file: String, hash: String) -> ModalityEntry {
        ModalityEntry {
            name: self.name.clone(),
            width: self.features.width(),
            dtype: "float32".into(),
            file,
            hash,
            provenance: self.provenance.clone(),
            scale: self.scale.to_string(),
        }
    }
}

/// The split without repeats: the first of each pair stays.
fn distinct(split: &Split) -> Split {
    let mut seen = std::collections::HashSet::with_capacity(split.pairs.len());
    let dated = split.times.len() == split.pairs.len();
    let (mut pairs, mut times) = (Vec::with_capacity(split.pairs.len()), Vec::new());
    for (place, &pair) in split.pairs.iter().enumerate() {
        if seen.insert(pair) {
            pairs.push(pair);
            times.extend(dated.then(|| split.times[place]));
        }
    }
    Split::new(split.origin.clone(), pairs, times)
}
