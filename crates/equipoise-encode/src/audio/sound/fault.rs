//! Why a sound cannot be used.

use thiserror::Error;

/// Why a sound cannot be used. Its item is marked missing and the run goes on.
#[derive(Clone, Debug, PartialEq, Error)]
pub(crate) enum SoundFault {
    /// There is no such file.
    #[error("no file")]
    NoFile,
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The file has no bytes.
    #[error("empty file")]
    Empty,
    /// The file is of no known format.
    #[error("neither WAV, AIFF, FLAC, MP3, Ogg, MP4 nor AAC: begins with {0}; convert it")]
    UnknownFormat(String),
    /// The format is known, what is in it is not.
    #[error("{format} with a codec that is not decoded here{codec}; convert it to FLAC, MP3 or WAV")]
    UnknownCodec {
        /// Format of the file.
        format: &'static str,
        /// The codec in brackets, where it has a name.
        codec: &'static str,
    },
    /// The file ends before its sound does, or parts of it are lost.
    #[error("{format} cut off{there}; download it again")]
    CutOff {
        /// Format of the file.
        format: &'static str,
        /// How much is there, where it can be read.
        there: String,
    },
    /// The file has no sound in it.
    #[error("{0} without sound")]
    NoSound(&'static str),
    /// The sound is shorter than one window.
    #[error("{0:.4} seconds of sound, expected at least 0.025")]
    TooShort(f64),
    /// There is nothing to hear.
    #[error("silent: nowhere louder than 100 dB below full scale between 125 and 7500 Hz")]
    Silent,
    /// The number of samples a second is none that sounds have.
    #[error("{0} samples a second, expected 1000 to 384000")]
    Rate(u32),
    /// The decoder found a fault.
    #[error("broken {format}: {problem}")]
    Broken {
        /// Format of the file.
        format: &'static str,
        /// What the decoder says.
        problem: String,
    },
}

impl SoundFault {
    /// A fault that the decoder of a format found, in at most 200 characters.
    pub(crate) fn broken(format: &'static str) -> impl Fn(&dyn std::fmt::Display) -> SoundFault {
        move |problem| {
            let problem = problem.to_string().chars().take(200).collect();
            SoundFault::Broken { format, problem }
        }
    }
}
