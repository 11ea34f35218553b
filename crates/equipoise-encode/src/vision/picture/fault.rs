//! Why a picture cannot be used.

use thiserror::Error;

/// Why a picture cannot be used. Its item is marked missing and the run goes on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum PictureFault {
    /// There is no such file.
    #[error("no file")]
    NoFile,
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The file has no bytes.
    #[error("empty file")]
    Empty,
    /// The file is larger than any picture of the admitted size needs.
    #[error("{bytes} bytes, expected at most {limit}")]
    LargeFile {
        /// Bytes of the file.
        bytes: u64,
        /// Bytes admitted.
        limit: u64,
    },
    /// The first bytes are those of no known format.
    #[error("neither JPEG, PNG, GIF nor WebP: begins with {0}; convert it")]
    UnknownFormat(String),
    /// The file ends before its picture does.
    #[error("{0} cut off: the file ends before the picture; download it again")]
    CutOff(&'static str),
    /// The picture has more pixels than are admitted.
    #[error("{width} x {height} pixels, expected at most {limit} in all; make it smaller")]
    TooManyPixels {
        /// Pixels of a row.
        width: u64,
        /// Rows.
        height: u64,
        /// Pixels admitted.
        limit: u64,
    },
    /// The picture has no pixels.
    #[error("a picture without pixels")]
    NoPixels,
    /// The decoder found a fault.
    #[error("broken {format}: {problem}")]
    Broken {
        /// Format of the file.
        format: &'static str,
        /// What the decoder says.
        problem: String,
    },
}

impl PictureFault {
    /// A fault that the decoder of a format found, in at most 200 characters.
    pub fn broken(format: &'static str) -> impl Fn(&dyn std::fmt::Display) -> PictureFault {
        move |problem| {
            let problem = problem.to_string().chars().take(200).collect();
            PictureFault::Broken { format, problem }
        }
    }
}
