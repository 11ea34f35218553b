//! A data set as training sees it, and the test split apart from it.

use crate::categories::Categories;
use crate::error::{DataError, found_names};
use crate::features::Modality;
use crate::interactions::Interactions;
use crate::loudness::Loudness;
use crate::scale::FeatureScale;
use crate::vocabulary::Vocabulary;

/// Everything that training and selection may look at: train and validation interactions and
/// the features. The test split is kept apart in [`SealedTest`].
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Name of its directory.
    pub name: String,
    /// Name of the layout it was read from.
    pub format: String,
    /// Raw ids of users and items.
    pub vocabulary: Vocabulary,
    /// Interactions to learn from.
    pub train: Interactions,
    /// Held-out interactions to select by.
    pub validation: Interactions,
    /// Features, one row per item each.
    pub modalities: Vec<Modality>,
    /// Categories of the items, if the data set has them.
    pub categories: Option<Categories>,
    /// Everything merged, dropped or odd, in a sentence each.
    pub notes: Vec<String>,
}

impl Dataset {
    /// Number of users: 1 + the largest user id of the three splits, or the length of the user
    /// list if there is one.
    pub fn n_users(&self) -> usize {
        self.train.n_users()
    }

    /// Number of items: the rows of the features, including items that never occur in train.
    pub fn n_items(&self) -> usize {
        self.train.n_items()
    }

    /// The modality called `name`.
    pub fn modality(&self, name: &str) -> Option<&Modality> {
        self.modalities.iter().find(|m| m.name == name)
    }

    /// The same data with features at another scale; its fingerprint differs unless the scale is `none`.
    #[must_use]
    pub fn scaled(mut self, scale: FeatureScale) -> Dataset {
        for modality in &mut self.modalities {
            modality.features = scale.apply(&modality.features);
        }
        self
    }

    /// The loudest and the quietest modality at this scale, where they differ much.
    pub fn loudness(&self) -> Option<Loudness> {
        Loudness::of(self.modalities.iter().map(|m| (m.name.as_str(), &m.features)))
    }

    /// The same data with these modalities only, in this order.
    ///
    /// # Errors
    /// [`DataError::MissingModality`] for a name that is not there, [`DataError::Setting`] for
    /// one that occurs twice or if there is none.
    pub fn with_modalities<S: AsRef<str>>(&self, names: &[S]) -> Result<Dataset, DataError> {
        let mut modalities: Vec<Modality> = Vec::with_capacity(names.len());
        for name in names.iter().map(AsRef::as_ref) {
            if modalities.iter().any(|m| m.name == name) {
                let expected = "each name once".into();
                let found = format!("{name} twice");
                return Err(DataError::Setting { field: "modalities", found, expected });
            }
            let modality = self.modality(name).ok_or_else(|| DataError::MissingModality {
                path: self.name.clone().into(),
                name: name.to_owned(),
                found: found_names(self.modalities.iter().map(|m| m.name.as_str())),
            })?;
            modalities.push(modality.clone());
        }
        if modalities.is_empty() {
            let (found, expected) = ("empty".into(), "at least one name".into());
            return Err(DataError::Setting { field: "modalities", found, expected });
        }
        Ok(Dataset { modalities, ..self.clone() })
    }
}

/// The held-out test interactions. Not reachable from [`Dataset`], and no part of its
/// fingerprint, so that nothing learned or selected can depend on them unnoticed.
pub struct SealedTest(Interactions);

impl SealedTest {
    pub(crate) fn seal(test: Interactions) -> SealedTest {
        SealedTest(test)
    }

    /// Whether nothing is held out for testing: so much may be known beforehand, for a model could not be measured in the end.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Breaks the seal: for the one test run after training and selection are over.
    pub fn open(&self) -> &Interactions {
        &self.0
    }
}

impl std::fmt::Debug for SealedTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedTest")
    }
}

/// A data set and its test split.
#[derive(Debug)]
pub struct Loaded {
    /// What training and selection may see.
    pub data: Dataset,
    /// What they may not.
    pub test: SealedTest,
}
