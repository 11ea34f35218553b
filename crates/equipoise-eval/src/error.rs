//! What can go wrong when ranking, scoring and comparing.

use std::path::PathBuf;

/// A table of [`Embeddings`](crate::Embeddings).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// The user table.
    Users,
    /// The item table.
    Items,
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Table::Users => "user",
            Table::Items => "item",
        })
    }
}

/// Errors of this crate. Each says what was expected, what was found and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The embedding width is zero.
    #[error("embedding dim: expected at least 1, found 0; pass the width of the tables")]
    ZeroDim,
    /// A table is not a whole number of rows.
    #[error(
        "{table} embeddings: expected a length divisible by dim {dim}, found {len}; \
         pass a row-major table with {dim} values per row"
    )]
    TableLength {
        /// Which table.
        table: Table,
        /// Its length in values.
        len: usize,
        /// The embedding width.
        dim: usize,
    },
    /// A table has more rows than indices can name.
    #[error("{table} embeddings: expected fewer than {} rows, found {rows}", u32::MAX)]
    TooManyRows {
        /// Which table.
        table: Table,
        /// Its number of rows.
        rows: usize,
    },
    /// A table holds NaN or an infinity.
    #[error(
        "{table} embeddings, row {row}, column {column}: expected a finite value, found {value}; \
         the model has diverged, lower its learning rate"
    )]
    NonFiniteEmbedding {
        /// Which table.
        table: Table,
        /// Row: the user or item.
        row: usize,
        /// Column within the row.
        column: usize,
        /// The value found.
        value: f32,
    },
    /// Finite embeddings whose inner product leaves the range of `f32`.
    #[error(
        "score of user {user} and item {item}: expected a finite value, found {value}; \
         the embeddings have grown too large, add regularisation"
    )]
    NonFiniteScore {
        /// The user.
        user: u32,
        /// The item.
        item: u32,
        /// The score found.
        value: f32,
    },
    /// The flag that was given to [`evaluate_until`](crate::evaluate_until) was raised.
    #[error("the evaluation was stopped before its end")]
    Stopped,
    /// A user to rank for is not in the table.
    #[error("users[{position}]: expected a user below {n_users}, found {user}")]
    UserOutOfRange {
        /// Place in the list of users.
        position: usize,
        /// The user found.
        user: u32,
        /// Rows of the user table.
        n_users: usize,
    },
    /// Interactions over other users or items than the embeddings.
    #[error(
        "{name}: expected interactions over {n_users} users x {n_items} items as the embeddings \
         have, found {found_users} x {found_items}; model and data set do not belong together"
    )]
    Universe {
        /// Which argument.
        name: String,
        /// Rows of the user table.
        n_users: usize,
        /// Rows of the item table.
        n_items: usize,
        /// Users of the interactions.
        found_users: usize,
        /// Items of the interactions.
        found_items: usize,
    },
    /// A cut-off of zero.
    #[error("k: expected at least 1, found 0")]
    ZeroK,
    /// A ranking that does not fit in memory.
    #[error("ranking of {users} users x top {k}: does not fit in memory; lower k or rank in parts")]
    TooLarge {
        /// Users to rank for.
        users: usize,
        /// Items kept per user.
        k: usize,
    },
    /// A field of the evaluation settings is unusable.
    #[error("evaluation.{0}")]
    Config(#[from] equipoise_data::FieldError),
    /// Nobody to evaluate.
    #[error(
        "held-out interactions: expected at least one, found none among {n_users} users; \
         check that the split was loaded"
    )]
    NoHeldOut {
        /// Users in the split.
        n_users: usize,
    },
    /// A metric that was not computed.
    #[error("metric `{name}`: not among the computed ones ({available}); add it to the settings")]
    UnknownMetric {
        /// The name asked for.
        name: String,
        /// The names there are.
        available: String,
    },
    /// Two result tables over different users.
    #[error(
        "per-user results: expected the same users in both, found {left} and {right} users, \
         differing first at row {row}; compare runs on the same split"
    )]
    DifferentUsers {
        /// Users on the left.
        left: usize,
        /// Users on the right.
        right: usize,
        /// First differing row.
        row: usize,
    },
    /// A per-user table whose columns do not fit together.
    #[error("per-user results, column `{column}`: expected {expected}, found {found}")]
    Column {
        /// The column.
        column: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// Paired samples of different length.
    #[error("paired samples: expected equal lengths, found {left} and {right}")]
    SampleLengths {
        /// Length of the first sample.
        left: usize,
        /// Length of the second sample.
        right: usize,
    },
    /// Too few pairs for the test.
    #[error("{test}: expected at least {needed} pairs, found {found}; add seeds or users")]
    TooFewPairs {
        /// The test.
        test: &'static str,
        /// Pairs needed.
        needed: usize,
        /// Pairs found.
        found: usize,
    },
    /// A sample holds NaN or an infinity.
    #[error("{sample}[{index}]: expected a finite value, found {value}")]
    NonFiniteSample {
        /// Which sample.
        sample: &'static str,
        /// Place in the sample.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// A value that is no probability.
    #[error("p-values[{index}]: expected a value between 0 and 1, found {value}")]
    PValue {
        /// Place in the list.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// The system refused to read or write a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not the Parquet file it should be.
    #[error("{}: not a readable Parquet file: {message}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A Parquet file of another layout.
    #[error("{}, {field}: expected {expected}, found {found}; write the file again", path.display())]
    Layout {
        /// The file.
        path: PathBuf,
        /// The column or metadata key.
        field: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
}

impl EvalError {
    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            EvalError::Io { source, .. } => equipoise_data::is_input_fault(source),
            // A model that diverged, as in training.
            EvalError::NonFiniteEmbedding { .. } | EvalError::NonFiniteScore { .. } => false,
            EvalError::Stopped => false,
            EvalError::ZeroDim
            | EvalError::TableLength { .. }
            | EvalError::TooManyRows { .. }
            | EvalError::UserOutOfRange { .. }
            | EvalError::Universe { .. }
            | EvalError::ZeroK
            | EvalError::TooLarge { .. }
            | EvalError::Config(_)
            | EvalError::NoHeldOut { .. }
            | EvalError::UnknownMetric { .. }
            | EvalError::DifferentUsers { .. }
            | EvalError::Column { .. }
            | EvalError::SampleLengths { .. }
            | EvalError::TooFewPairs { .. }
            | EvalError::NonFiniteSample { .. }
            | EvalError::PValue { .. }
            | EvalError::Parquet { .. }
            | EvalError::Layout { .. } => true,
        }
    }
}
