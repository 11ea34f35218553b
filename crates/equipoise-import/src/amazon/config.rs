//! What an import is asked to do.

use std::path::PathBuf;

use equipoise_data::{DataError, Shares, SplitRule, Splitting};
use serde::{Deserialize, Serialize};

/// How the text of an item is put together. Newlines become spaces; absent fields contribute nothing.
///
/// | name | text |
/// |---|---|
/// | `paper` | title, description, all categories, brand, with spaces between them |
/// | `lattice` | a space, every category and a space, title, the title again if there is a brand, description: as the LATTICE script has it, where the brand never enters |
/// | `mmrec` | title, brand, categories of the first path, description, with spaces between them |
///
/// In the release of 2023 the brand is `store`; in those of 2018 and 2023 `description` is a list whose parts are joined
/// with spaces. Entities of HTML (`&amp;`) are decoded in texts of `paper` and in categories; the texts of the other two
/// rules are those of their programs, which leave them.
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
/// | `meta` | none | metadata: Python literals (2014) or JSON lines (2018, 2023); texts and categories come from it | |
/// | `image_features` | none | `image_features_X.b`, plain or gzip | |
/// | `split` | `lattice` | [`SplitRule`] | |
/// | `shares` | 0.8, 0.1, 0.1 | train, validation, test of `ratio` and `time` | [`Shares`] |
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
    pub shares: Shares,
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
            shares: Shares::default(),
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
        if self.reviews.as_os_str().is_empty() {
            let (found, expected) = ("empty".to_owned(), "a file of reviews".to_owned());
            return Err(DataError::Setting { field: "reviews", found, expected });
        }
        self.splitting().check()
    }

    /// How reviews are divided.
    pub(crate) fn splitting(&self) -> Splitting {
        Splitting { rule: self.split, shares: self.shares, seed: self.seed }
    }
}
