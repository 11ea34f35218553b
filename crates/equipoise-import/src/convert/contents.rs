//! What every layout is written from.

use std::path::{Path, PathBuf};

use equipoise_data::formats::{Faults, Gathered, GatheredSplit, RowCounts};
use equipoise_data::{
    Categories, DataError, FeatureScale, Features, Interactions, Loaded, Missing, Vocabulary,
};

/// A data set with all that a layout may want to keep.
pub(super) struct Contents {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) vocabulary: Vocabulary,
    /// Distinct pairs in the order of the source, with their moments where those are known.
    pub(super) splits: [GatheredSplit; 3],
    pub(super) modalities: Vec<Content>,
    /// Scale that the features were given.
    pub(super) scale: FeatureScale,
    pub(super) categories: Option<Categories>,
    pub(super) notes: Vec<String>,
    pub(super) rows: RowCounts,
    pub(super) test: Interactions,
    pub(super) fingerprint: String,
}

/// One modality, scaled, with its origin.
pub(super) struct Content {
    pub(super) name: String,
    pub(super) features: Features,
    /// The items that lack it, if that is known.
    pub(super) missing: Option<Missing>,
    /// Where the features come from.
    #[cfg_attr(not(feature = "parquet"), allow(dead_code))] // only the layout `equipoise` keeps it
    pub(super) provenance: String,
}

impl Contents {
    /// Checks what was read and gives the features their scale.
    pub(super) fn new(path: &Path, gathered: Gathered, scale: FeatureScale) -> Result<Contents, DataError> {
        gathered.verify(&mut Faults::stop_at_first())?;
        let splits = gathered.splits().map(|split| split.map(distinct).unwrap_or_default());
        let rows = gathered.row_counts();
        let files: Vec<PathBuf> = gathered.modality_files().map(Path::to_owned).collect();
        let Loaded { data, test } = gathered.assemble(path)?;
        let unsafe_name = |name: &str| {
            name.starts_with('.') || name.contains(['/', '\\']) || name.contains(char::is_control)
        };
        if let Some(m) = data.modalities.iter().find(|m| unsafe_name(&m.name)) {
            let expected = "a name that can be part of a file's".into();
            return Err(DataError::Setting { field: "modality", found: m.name.clone(), expected });
        }
        let mut data = data.scaled(scale);
        for modality in &mut data.modalities {
            modality.features = modality.features.clone().by_value();
        }
        let fingerprint = data.fingerprint();
        let modalities = data.modalities.into_iter().zip(files).map(|(m, file)| Content {
            name: m.name,
            features: m.features,
            missing: m.missing,
            provenance: file.display().to_string(),
        });
        Ok(Contents {
            name: data.name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
            source: data.format,
            vocabulary: data.vocabulary,
            splits,
            modalities: modalities.collect(),
            scale,
            categories: data.categories,
            notes: data.notes,
            rows,
            test: test.open().clone(),
            fingerprint,
        })
    }

    /// Whether every interaction has its moment.
    pub(super) fn dated(&self) -> bool {
        self.splits.iter().all(|s| s.times.len() == s.pairs.len())
    }

    /// All moments that are known.
    pub(super) fn times(&self) -> impl Iterator<Item = i64> {
        self.splits.iter().flat_map(|split| split.times.iter().copied())
    }

    /// A name that can be part of a file's.
    pub(super) fn file_name(&self) -> String {
        let safe = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
        self.name.chars().map(safe).collect()
    }
}

/// The split without repeats: the first of each pair stays.
fn distinct(split: &GatheredSplit) -> GatheredSplit {
    let mut seen = std::collections::HashSet::with_capacity(split.pairs.len());
    let dated = split.times.len() == split.pairs.len();
    let (mut pairs, mut times) = (Vec::with_capacity(split.pairs.len()), Vec::new());
    for (place, &pair) in split.pairs.iter().enumerate() {
        if seen.insert(pair) {
            pairs.push(pair);
            times.extend(dated.then(|| split.times[place]));
        }
    }
    GatheredSplit::new(split.origin.clone(), pairs, times)
}
