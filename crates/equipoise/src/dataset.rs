//! A data set together with the settings that it was loaded with.

use crate::Error;
use equipoise_data::{FeatureScale, Features, Interactions, Loaded, MissingFill, Vocabulary, formats};
use equipoise_train::DataConfig;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// A data set and the settings that it was loaded with: one value, so that a run records the settings it used.
///
/// The test part stays sealed: training and searches cannot reach it, and a run reads it once, after its model is chosen.
#[derive(Debug)]
pub struct Dataset {
    settings: DataConfig,
    loaded: Loaded,
    /// Holds the files of a data set that was given no directory.
    place: Option<Arc<TempDir>>,
}

/// A data set that is about to be loaded.
///
/// | setting | default | purpose |
/// |---|---|---|
/// | [`modalities`](Self::modalities) | all that are found | which modalities, in this order |
/// | [`missing`](Self::missing) | [`Fill::Mean`](MissingFill::Mean) | what a model sees of items that lack a modality |
/// | [`scale`](Self::scale) | [`Scale::None`](FeatureScale::None) | scale of the features |
///
/// A run records these, and can be repeated from them. What needs more choices (columns, thresholds, a split) is first
/// converted into a data set of its own.
#[derive(Clone, Debug)]
#[must_use = "nothing is read before `load`"]
pub struct DatasetLoader {
    settings: DataConfig,
    /// What was said while the data set was made.
    notes: Vec<String>,
    place: Option<Arc<TempDir>>,
}

impl Dataset {
    /// Recognises the layout of a directory; [`load`](DatasetLoader::load) reads it.
    ///
    /// # Errors
    /// If there is no such directory, or its layout is not recognised.
    pub fn open(path: impl Into<PathBuf>) -> Result<DatasetLoader, Error> {
        let path = path.into();
        formats::detect(&path)?;
        let settings = DataConfig { path, ..DataConfig::default() };
        Ok(DatasetLoader { settings, notes: Vec::new(), place: None })
    }

    /// The settings that it was loaded with.
    pub fn settings(&self) -> &DataConfig {
        &self.settings
    }

    /// Number of users.
    pub fn n_users(&self) -> usize {
        self.loaded.data.n_users()
    }

    /// Number of items, those without interactions included.
    pub fn n_items(&self) -> usize {
        self.loaded.data.n_items()
    }

    /// Names of the modalities, in order.
    pub fn modalities(&self) -> impl Iterator<Item = &str> {
        self.loaded.data.modalities.iter().map(|m| m.name.as_str())
    }

    /// The features of a modality as models see them: filled in and scaled, one row per item.
    ///
    /// # Errors
    /// If there is no such modality.
    pub fn features(&self, modality: &str) -> Result<&Features, Error> {
        let found = self.loaded.data.modality(modality);
        found.map(|m| &m.features).ok_or_else(|| Error::Unknown {
            kind: "modality",
            id: modality.to_owned(),
            hint: format!(", only {}", self.modalities().collect::<Vec<_>>().join(", ")),
        })
    }

    /// Raw ids of users and items.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.loaded.data.vocabulary
    }

    /// Interactions to learn from.
    pub fn train(&self) -> &Interactions {
        &self.loaded.data.train
    }

    /// Held-out interactions that select a model.
    pub fn validation(&self) -> &Interactions {
        &self.loaded.data.validation
    }

    /// Breaks the seal: held-out interactions for the one evaluation after everything is chosen.
    pub fn unseal_test(&self) -> &Interactions {
        self.loaded.test.open()
    }

    /// Everything that was merged, dropped or odd, in a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.loaded.data.notes
    }

    /// The data as models see it, with features and categories.
    pub fn contents(&self) -> &equipoise_data::Dataset {
        &self.loaded.data
    }

    pub(crate) fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    pub(crate) fn place(&self) -> Option<Arc<TempDir>> {
        self.place.clone()
    }
}

impl DatasetLoader {
    /// Reads these modalities only, in this order.
    pub fn modalities<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> DatasetLoader {
        self.settings.modalities = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// What a model sees of items that lack a modality.
    pub fn missing(mut self, fill: MissingFill) -> DatasetLoader {
        self.settings.missing = fill;
        self
    }

    /// Scale of the features.
    pub fn scale(mut self, scale: FeatureScale) -> DatasetLoader {
        self.settings.scale = scale;
        self
    }

    /// Reads the files.
    ///
    /// # Errors
    /// The first fault found, with its file and line.
    pub fn load(self) -> Result<Dataset, Error> {
        let mut loaded = self.settings.load()?;
        // What the files repeat of their making is said once.
        let news = self.notes.into_iter().filter(|note| !loaded.data.notes.contains(note));
        loaded.data.notes = news.collect::<Vec<_>>().into_iter().chain(loaded.data.notes).collect();
        Ok(Dataset { settings: self.settings, loaded, place: self.place })
    }

    /// The same with what was said while the data set was made.
    #[cfg(all(feature = "import", feature = "parquet"))]
    pub(crate) fn noting(self, notes: Vec<String>) -> DatasetLoader {
        DatasetLoader { notes, ..self }
    }

    /// The same in a temporary directory.
    #[cfg(all(feature = "import", feature = "parquet"))]
    pub(crate) fn keeping(self, place: TempDir) -> DatasetLoader {
        DatasetLoader { place: Some(Arc::new(place)), ..self }
    }
}
