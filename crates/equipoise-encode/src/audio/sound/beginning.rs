//! What the first bytes of a file say: its format, and whether it tells how long it is.

use std::fs::File;
use std::io::{Read, Result, Seek, SeekFrom};

/// Bytes in which a first MPEG frame lies, with what says how many follow.
const FIRST_FRAME: usize = 8192;

/// Lengths of WAV that writers put down who do not know it yet.
const UNKNOWN_LENGTH: u32 = 0x7FFF_0000;

/// What a file is called whose first bytes are of no known format; what follows them may be a sound all the same.
const UNKNOWN: &str = "sound file";

/// Whether the length that a format tells is the sound's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// To the sample.
    Exact,
    /// Up to a few frames at either end.
    Near,
    /// It is guessed from the size of the file, or the decoder itself knows the end.
    Untold,
    /// It is not known, and the sound ends with the file.
    Open,
}

/// The beginning of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// Name of the format.
    pub(super) format: &'static str,
    /// What the length that the format tells is worth.
    pub(super) length: Length,
    /// The first bytes, for people.
    pub(super) bytes: String,
}

impl Beginning {
    /// Reads it, and goes back to the start.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn of(file: &mut File) -> Result<Beginning> {
        let start = read(file, 0, 16)?;
        let (format, length) = match &start[..] {
            [b'R', b'I', b'F', b'F', size @ .., _, _, _, _, _, _, _, _] => ("WAV", riff(size)),
            [b'F', b'O', b'R', b'M', ..] => ("AIFF", Length::Exact),
            [b'f', b'L', b'a', b'C', ..] => ("FLAC", Length::Exact),
            [b'O', b'g', b'g', b'S', ..] => ("Ogg", Length::Untold),
            [b'I', b'D', b'3', ..] => ("MP3", mpeg(file, after_tag(&start))?),
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => ("MP4", Length::Untold),
            [0xFF, 0xF1 | 0xF9, ..] => ("AAC", Length::Untold),
            [0xFF, 0xE2..=0xFF, ..] => ("MP3", mpeg(file, 0)?),
            _ => (UNKNOWN, Length::Untold),
        };
        file.seek(SeekFrom::Start(0))?;
        let bytes = format!("\"{}\"", start[..start.len().min(8)].escape_ascii());
        Ok(Beginning { format, length, bytes })
    }

    /// Whether the first bytes are those of a format.
    pub(super) fn is_known(&self) -> bool {
        self.format != UNKNOWN
    }
}

fn read(file: &mut File, from: u64, count: usize) -> Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::with_capacity(count);
    file.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn riff(size: &[u8]) -> Length {
    match size.first_chunk() {
        Some(&size) if u32::from_le_bytes(size) < UNKNOWN_LENGTH => Length::Exact,
        _ => Length::Open,
    }
}

/// Where an ID3v2 tag ends: its length has seven bits in each byte, a footer is told by a flag.
fn after_tag(start: &[u8]) -> u64 {
    let Some(&[flags, size @ ..]) = start.get(5..10).and_then(|part| part.first_chunk::<5>()) else {
        return 0;
    };
    let length = size.iter().fold(0, |length, &byte| length << 7 | u64::from(byte & 0x7F));
    10 + length + u64::from(flags & 0x10 != 0) * 10
}

/// A stream of MPEG frames says how many they are in its first one, or not at all.
fn mpeg(file: &mut File, at: u64) -> Result<Length> {
    let first = read(file, at, FIRST_FRAME)?;
    let told = [b"Xing", b"Info", b"VBRI"].iter().any(|name| first.windows(4).any(|four| four == *name));
    Ok(if told { Length::Near } else { Length::Untold })
}
