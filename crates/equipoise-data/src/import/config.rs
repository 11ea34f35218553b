//! What an import is asked to do.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// How reviews are divided. `n` is the number of a user's reviews; users with `n < 3` keep all of them for training
/// under every rule but `time`.
///
/// | name | what goes where |
/// |---|---|
/// | `lattice` | per user at random; `n < 10`: 1 validation, 1 test; else `k = floor(0.2 n)` held out, `floor(k/2)` of them test, the others validation |
/// | `mmrec` | the same, but the larger half is test: `floor(k/2)` validation, `k - floor(k/2)` test |
/// | `ratio` | per user at random: `floor(share * n)` validation and test, at least 1 where the share is above 0 and 1 train review is left |
/// | `leave_one_out` | per user by time: the last is test, the one before it validation; of equal times the later in the file is last |
/// | `time` | two instants for everyone: the earliest shares train, then validation, then test; reviews of one instant stay together |
///
/// `lattice`: Zhang et al., *Mining Latent Structures for Multimedia Recommendation*, MM 2021; `mmrec`: Zhou, *MMRec:
/// Simplifying Multimodal Recommendation*, MM Asia 2023.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitRule {
    /// Per user, the larger half of what is held out to validation.
    #[default]
    Lattice,
    /// Per user, the larger half to test.
    Mmrec,
    /// Per user by shares.
    Ratio,
    /// Per user the last two in time.
    LeaveOneOut,
    /// Everyone at the same two instants.
    Time,
}

impl SplitRule {
    /// Every rule.
    pub const ALL: [SplitRule; 5] =
        [SplitRule::Lattice, SplitRule::Mmrec, SplitRule::Ratio, SplitRule::LeaveOneOut, SplitRule::Time];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            SplitRule::Lattice => "lattice",
            SplitRule::Mmrec => "mmrec",
            SplitRule::Ratio => "ratio",
            SplitRule::LeaveOneOut => "leave-one-out",
            SplitRule::Time => "time",
        }
    }

    /// Whether it looks at times.
    pub fn needs_times(self) -> bool {
        matches!(self, SplitRule::LeaveOneOut | SplitRule::Time)
    }
}

/// How the text of an item is put together. Newlines become spaces; absent fields contribute nothing.
///
/// | name | text |
/// |---|---|
/// | `paper` | title, description, all categories, brand, with spaces between them |
/// | `lattice` | a space, every category and a space, title, the title again if there is a brand, description: as the LATTICE script has it, where the brand never enters |
/// | `mmrec` | title, brand, categories of the first path, description, with spaces between them |
///
/// In the release of 2023 the brand is `store`, and `description` is a list whose parts are joined with spaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextRule {
    /// What the papers describe.
    #[default]
    Paper,
    /// What the LATTICE script writes.
    Lattice,
    /// What the MMRec notebook writes.
    Mmrec,
}

impl TextRule {
    /// Every rule.
    pub const ALL: [TextRule; 3] = [TextRule::Paper, TextRule::Lattice, TextRule::Mmrec];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            TextRule::Paper => "paper",
            TextRule::Lattice => "lattice",
            TextRule::Mmrec => "mmrec",
        }
    }
}

/// What happens to a line that cannot be understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadLines {
    /// The import ends and nothing is written.
    #[default]
    Refuse,
    /// It is left out and counted. The first line must be sound all the same: it tells what the file is.
    Skip,
}

/// An import of raw Amazon files.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `reviews` | none | reviews: JSON lines, Python literals or `ratings_X.csv`, plain or gzip | |
/// | `meta` | none | metadata: Python literals (2014) or JSON lines (2023); texts and categories come from it | |
/// | `image_features` | none | `image_features_X.b` | |
/// | `split` | `lattice` | [`SplitRule`] | |
/// | `shares` | 0.8, 0.1, 0.1 | train, validation, test of `ratio` and `time` | each 0 to 1, sum 1, train above 0 |
/// | `core` | 5 | least reviews of a user and of an item; 0 or 1 keeps all | |
/// | `text` | `paper` | [`TextRule`] | |
/// | `seed` | 123 | from which the random splits follow | |
/// | `bad_lines` | `refuse` | [`BadLines`] | |
///
/// Files of raw ids as published had the order of a Python set: indices and, with them, random splits differ from
/// those files for every seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AmazonConfig {
    /// Reviews.
    pub reviews: PathBuf,
    /// Metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<PathBuf>,
    /// Features of images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_features: Option<PathBuf>,
    /// How reviews are divided.
    pub split: SplitRule,
    /// Shares of train, validation and test.
    pub shares: [f64; 3],
    /// Least reviews of a user and of an item.
    pub core: u32,
    /// How texts are put together.
    pub text: TextRule,
    /// From which random splits follow.
    pub seed: u64,
    /// What happens to lines that cannot be understood.
    pub bad_lines: BadLines,
}

impl Default for AmazonConfig {
    fn default() -> Self {
        AmazonConfig {
            reviews: PathBuf::new(),
            meta: None,
            image_features: None,
            split: SplitRule::default(),
            shares: [0.8, 0.1, 0.1],
            core: 5,
            text: TextRule::default(),
            seed: 123,
            bad_lines: BadLines::default(),
        }
    }
}

impl AmazonConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// [`DataError::Setting`] naming the field.
    pub fn check(&self) -> Result<(), DataError> {
        let fault = |field, found: String, expected: &str| {
            let expected = expected.to_owned();
            Err(DataError::Setting { field, found, expected })
        };
        if self.reviews.as_os_str().is_empty() {
            return fault("reviews", "empty".into(), "a file of reviews");
        }
        let [train, ..] = self.shares;
        let each = self.shares.iter().all(|share| (0.0..=1.0).contains(share));
        let sum: f64 = self.shares.iter().sum();
        if !each || train <= 0.0 || (sum - 1.0).abs() > 1e-9 {
            let found = self.shares.map(|share| share.to_string()).join(", ");
            return fault(
                "shares",
                found,
                "train, validation and test from 0 to 1 with sum 1, train above 0",
            );
        }
        Ok(())
    }
}
