//! From a file's bytes to RGB, as Pillow's `convert("RGB")` of an upright picture.
//!
//! The format is told by the first bytes, whatever the file is called. Alpha is dropped, grey is repeated, palettes
//! are looked up, 16 bits keep the upper 8, colour profiles are not applied, an animation is its first frame.
//! The orientation of Exif is applied, as image processors do with files.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::fault::PictureFault;
use super::{Picture, gif, jpeg, png, webp};
use equipoise_data::caught;

/// Pixels that a picture may have: decoding takes at most about 10 bytes for each.
pub(super) const MAX_PIXELS: u64 = 50_000_000;

/// Bytes that a file may have: the pixels uncompressed, and as much beside them.
const MAX_BYTES: u64 = 6 * MAX_PIXELS;

/// What decodes the bytes of one format into a picture of at most so many pixels.
type Decoder = fn(&[u8], u64) -> Result<Picture, PictureFault>;

/// Reads and decodes a file.
///
/// # Errors
/// Whatever makes the picture unusable.
pub(crate) fn open(path: &Path) -> Result<Picture, PictureFault> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => PictureFault::NoFile,
        _ => PictureFault::Unreadable(error.to_string()),
    };
    // Before the file is opened: a pipe would wait for ever.
    let facts = std::fs::metadata(path).map_err(unreadable)?;
    if !facts.is_file() {
        return Err(PictureFault::Unreadable("not a file".into()));
    }
    if facts.len() > MAX_BYTES {
        return Err(PictureFault::LargeFile { bytes: facts.len(), limit: MAX_BYTES });
    }
    let mut bytes = Vec::with_capacity(facts.len() as usize);
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    decode(&bytes, MAX_PIXELS)
}

/// Decodes a file's bytes; a picture of more than `max_pixels` is refused before its pixels are touched.
///
/// # Errors
/// Whatever makes the picture unusable. A decoder that panics has found a broken picture.
pub(super) fn decode(bytes: &[u8], max_pixels: u64) -> Result<Picture, PictureFault> {
    let (format, decoder): (_, Decoder) = match bytes {
        [] => return Err(PictureFault::Empty),
        [0xFF, 0xD8, 0xFF, ..] => ("JPEG", jpeg::decode),
        [0x89, b'P', b'N', b'G', ..] => ("PNG", png::decode),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => ("GIF", gif::decode),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => ("WebP", webp::decode),
        _ => return Err(PictureFault::UnknownFormat(first_bytes(bytes))),
    };
    let panicked = |_| Err(PictureFault::broken(format)(&"the decoder gave up"));
    caught(|| decoder(bytes, max_pixels)).unwrap_or_else(panicked)
}

fn first_bytes(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes[..bytes.len().min(8)].escape_ascii())
}
