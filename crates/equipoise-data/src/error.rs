//! What can be wrong with a data set, each fault with its place and its remedy.

use std::path::{Path, PathBuf};

use crate::field_error::FieldError;
use crate::quoted::{clipped, quoted, short};

/// A fault in a data set. The message names the file, the place in it, what was expected, what
/// was found and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file system refused.
    #[error("{}: {source}; check that the path exists and is accessible", file.display())]
    Io {
        /// File or directory.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No known layout, or more than one.
    #[error("{}: {}; expected one of: {expected}", path.display(), short(found))]
    Layout {
        /// The directory given.
        path: PathBuf,
        /// What it looks like.
        found: String,
        /// The layouts that are known.
        expected: String,
    },
    /// A file of the layout is absent.
    #[error("{}: no such file, expected {expected}; add it", file.display())]
    MissingFile {
        /// The absent file.
        file: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// Text that is not JSON, or not of the expected shape.
    #[error(
        "{}: line {line}, column {column}: {problem}; expected {expected}; repair or export the file \
         again",
        file.display()
    )]
    Json {
        /// The file.
        file: PathBuf,
        /// Line from 1.
        line: usize,
        /// Column from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
        /// The shape that the file should have.
        expected: &'static str,
    },
    /// An entry of a split, id list or category file that does not mean what it must.
    #[error("{}: {}: {}", file.display(), clipped(place, 200), clipped(problem, 600))]
    Entry {
        /// The file.
        file: PathBuf,
        /// Line, user, item or column.
        place: String,
        /// Expected, found, remedy.
        problem: String,
    },
    /// An item id with no row in the features (or in the item list).
    #[error(
        "{origin}: user {user}: item id {item} is out of range, expected 0..={last} ({bound}); \
         correct the id or add the item"
    )]
    ItemOutOfRange {
        /// The split.
        origin: String,
        /// User index.
        user: u32,
        /// Item id found.
        item: u32,
        /// Largest allowed id.
        last: usize,
        /// What sets the bound.
        bound: String,
    },
    /// A user id out of all proportion to the number of users, or not in the user list.
    #[error(
        "{origin}: user id {user} is out of range, expected 0..={last} ({bound}); number the \
         users from 0 without gaps"
    )]
    UserOutOfRange {
        /// The split.
        origin: String,
        /// User id found.
        user: u32,
        /// Largest allowed id.
        last: usize,
        /// What sets the bound.
        bound: String,
    },
    /// One interaction in two splits.
    #[error(
        "user {user}: item {item} is in both {first} and {second}, expected disjoint splits; \
         remove it from one of them"
    )]
    Overlap {
        /// User index.
        user: u32,
        /// Item index.
        item: u32,
        /// One split.
        first: String,
        /// The other.
        second: String,
    },
    /// Nothing to learn from.
    #[error("{origin}: no interaction, expected at least one to train on; check how the split was made")]
    EmptyTrain {
        /// The train split.
        origin: String,
    },
    /// A damaged or unsuitable `.npy` file.
    #[error("{}: byte {byte}: {}; {remedy}", file.display(), clipped(problem, 600))]
    Npy {
        /// The file.
        file: PathBuf,
        /// Offset from the start of the file.
        byte: u64,
        /// Expected and found.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A pickle, which is a program.
    #[error(
        "{}: a pickle is a program and is not run; convert it once, where you trust it, with python -c \"import pickle, \
         scipy.sparse as s; s.save_npz('{name}.npz', s.csr_matrix(pickle.load(open('{name}.pkl', 'rb'))))\"",
        file.display()
    )]
    Pickle {
        /// The file.
        file: PathBuf,
        /// Its name without the ending.
        name: String,
    },
    /// A Parquet file that is damaged, or whose columns cannot serve.
    #[error("{}: {}; correct the file or write it again", file.display(), clipped(problem, 600))]
    Parquet {
        /// The file.
        file: PathBuf,
        /// Expected and found.
        problem: String,
    },
    /// A table whose rows belong to no split.
    #[error(
        "{}: no split, expected a column that says train, validation or test; name it with --split-column, or \
         choose a rule with equipoise data convert --split ratio|leave-one-out|time",
        file.display()
    )]
    Unsplit {
        /// The file.
        file: PathBuf,
    },
    /// A split by time without times.
    #[error(
        "{}: a split by time needs a timestamp in every row; name their column with --timestamp-column, or choose \
         another rule",
        file.display()
    )]
    Undated {
        /// The file.
        file: PathBuf,
    },
    /// A data set written by a later program.
    #[error(
        "{}: version {found} of the format, this program reads up to {known}; read it with a newer equipoise",
        file.display()
    )]
    Newer {
        /// The manifest.
        file: PathBuf,
        /// Its version.
        found: i64,
        /// The last version known.
        known: u32,
    },
    /// A file that is not the one that was written.
    #[error(
        "{}: {what} is {found}, expected {expected} as {} says; restore the file or convert the data again",
        file.display(), by.display()
    )]
    Changed {
        /// The file.
        file: PathBuf,
        /// What differs.
        what: &'static str,
        /// What it is.
        found: String,
        /// What it was.
        expected: String,
        /// Who says so.
        by: PathBuf,
    },
    /// A directory that may not be written over.
    #[error("{}: {problem}", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
        /// Why, and what to do.
        problem: String,
    },
    /// A directory that another process is writing.
    #[error("{}: {by} is at work here; wait for it to end", path.display())]
    Held {
        /// The directory.
        path: PathBuf,
        /// Who writes it.
        by: String,
    },
    /// Data that a layout has no room for.
    #[error("{}: the {layout} layout cannot hold this data: {}; choose another layout", path.display(), clipped(problem, 600))]
    Unfit {
        /// The data set.
        path: PathBuf,
        /// The layout.
        layout: &'static str,
        /// What does not fit.
        problem: String,
    },
    /// NaN or infinity among the features.
    #[error(
        "{}: row {row}, column {column} is {value}, expected a finite number within the range of \
         float32; {count} such values in all; replace them, for instance by the mean row",
        file.display()
    )]
    NotFinite {
        /// The file.
        file: PathBuf,
        /// Row of the first, from 0.
        row: usize,
        /// Its column, from 0.
        column: usize,
        /// The value as `f32`.
        value: f32,
        /// Number of them.
        count: usize,
    },
    /// Modalities that do not describe the same items.
    #[error(
        "{}: {found} rows, expected {expected} ({reason}); every modality needs one row per item",
        file.display()
    )]
    Rows {
        /// The file.
        file: PathBuf,
        /// Its rows.
        found: usize,
        /// Rows wanted.
        expected: usize,
        /// Why that many.
        reason: String,
    },
    /// A modality was asked for that is not there.
    #[error(
        "{}: modality {} was asked for, found {}; correct the name or add {}_feat.npy",
        path.display(), quoted(name), short(found), clipped(name, 100)
    )]
    MissingModality {
        /// The directory.
        path: PathBuf,
        /// The name.
        name: String,
        /// The names found.
        found: String,
    },
    /// No features at all.
    #[error(
        "{}: no modality, expected at least one file <modality>_feat.npy (such as image_feat.npy) \
         with one row per item; add one, or name what lies elsewhere (--features image=FILE)",
        path.display()
    )]
    NoModality {
        /// The directory.
        path: PathBuf,
    },
    /// More faults of one kind than are worth listing.
    #[error("{origin}: {count} more faults of the kind \"{kind}\"")]
    More {
        /// Where.
        origin: String,
        /// Number not listed.
        count: usize,
        /// Kind.
        kind: &'static str,
    },
    /// Raw ids that do not form a vocabulary.
    #[error("{}: {source}", path.display())]
    Vocabulary {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        source: crate::vocabulary::VocabularyError,
    },
    /// A setting out of its range.
    #[error("{field} is {}, expected {}; change it", short(found), clipped(expected, 600))]
    Setting {
        /// Name of the setting.
        field: &'static str,
        /// Its value.
        found: String,
        /// The range.
        expected: String,
    },
    /// An option of a layout that cannot be used.
    #[error("{}: {fault}", path.display())]
    Option {
        /// The data set.
        path: PathBuf,
        /// The option, its value and what was expected.
        fault: FieldError,
    },
}

impl DataError {
    /// A fault of a file that no place of it has.
    pub(crate) fn whole(file: &Path, problem: String) -> DataError {
        DataError::Entry { file: file.to_owned(), place: "the whole file".into(), problem }
    }

    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            DataError::Io { source, .. } => crate::is_input_fault(source),
            DataError::Vocabulary { source, .. } => source.is_input(),
            DataError::Held { .. } => false,
            DataError::Layout { .. }
            | DataError::MissingFile { .. }
            | DataError::Json { .. }
            | DataError::Entry { .. }
            | DataError::ItemOutOfRange { .. }
            | DataError::UserOutOfRange { .. }
            | DataError::Overlap { .. }
            | DataError::EmptyTrain { .. }
            | DataError::Npy { .. }
            | DataError::Pickle { .. }
            | DataError::Parquet { .. }
            | DataError::Unsplit { .. }
            | DataError::Undated { .. }
            | DataError::Newer { .. }
            | DataError::Changed { .. }
            | DataError::Exists { .. }
            | DataError::Unfit { .. }
            | DataError::NotFinite { .. }
            | DataError::Rows { .. }
            | DataError::MissingModality { .. }
            | DataError::NoModality { .. }
            | DataError::More { .. }
            | DataError::Setting { .. }
            | DataError::Option { .. } => true,
        }
    }

    /// An [`Io`](Self::Io) error about `file`.
    pub fn io(file: &Path) -> impl FnOnce(std::io::Error) -> DataError + '_ {
        move |source| DataError::Io { file: file.to_owned(), source }
    }
}

/// Where and how a file is not the JSON that it should be.
pub(crate) fn json_error(file: &Path, expected: &'static str, error: &serde_json::Error) -> DataError {
    let text = error.to_string();
    let problem = short(text.rfind(" at line ").map_or(&*text, |end| &text[..end]));
    let (file, line, column) = (file.to_owned(), error.line(), error.column().max(1));
    DataError::Json { file, line, column, problem, expected }
}

/// Names for a message.
pub(crate) fn found_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".into() } else { short(&names.join(", ")) }
}
