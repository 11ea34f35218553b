//! WebP, lossy and lossless.

use std::io::{Cursor, ErrorKind};

use image_webp::{DecodingError, WebPDecoder};

use super::Picture;
use super::fault::PictureFault;
use super::orientation::{orientation, upright};
use super::pixels::{check_size, colours};

/// Decodes a WebP; of an animation, its first frame.
///
/// # Errors
/// See [`PictureFault`].
pub(super) fn decode(bytes: &[u8], max_pixels: u64) -> Result<Picture, PictureFault> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(fault)?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    check_size(width, height, max_pixels)?;
    decoder.set_memory_limit(bytes.len().max(1 << 20));
    let size = decoder.output_buffer_size().ok_or(PictureFault::NoPixels)?;
    let mut pixels = vec![0; size];
    decoder.read_image(&mut pixels).map_err(fault)?;
    let exif = decoder.exif_metadata().ok().flatten().map_or(1, |exif| orientation(&exif));
    let samples = if decoder.has_alpha() { 4 } else { 3 };
    Ok(upright(Picture::new(width, height, colours(pixels, samples)), exif))
}

fn fault(error: DecodingError) -> PictureFault {
    match error {
        DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            PictureFault::CutOff("WebP")
        }
        other => PictureFault::broken("WebP")(&other),
    }
}
