//! PNG.

use std::io::Cursor;

use png::{Decoder, DecodingError, Limits, Transformations};

use super::Picture;
use super::fault::PictureFault;
use super::orientation::{orientation, upright};
use super::pixels::{check_size, colours};

/// Bytes for what is beside the pixels: one row, profiles, tables of the decompressor.
const BESIDE: usize = 64 << 20;

/// Decodes a PNG; palettes and fewer than 8 bits are expanded, of 16 bits the upper 8 are kept.
///
/// # Errors
/// See [`PictureFault`].
pub(super) fn decode(bytes: &[u8], max_pixels: u64) -> Result<Picture, PictureFault> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: BESIDE });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let header = decoder.read_header_info().map_err(fault)?;
    check_size(header.width as usize, header.height as usize, max_pixels)?;
    let mut reader = decoder.read_info().map_err(fault)?;
    let size = reader.output_buffer_size().ok_or(PictureFault::NoPixels)?;
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(fault)?;
    pixels.truncate(frame.buffer_size());
    let exif = reader.info().exif_metadata.as_deref().map_or(1, orientation);
    let rgb = colours(pixels, frame.color_type.samples());
    Ok(upright(Picture::new(frame.width as usize, frame.height as usize, rgb), exif))
}

fn fault(error: DecodingError) -> PictureFault {
    match error {
        DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            PictureFault::CutOff("PNG")
        }
        other => PictureFault::broken("PNG")(&other),
    }
}
