//! GIF, of which the first frame is taken.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};

use super::Picture;
use super::fault::PictureFault;
use super::pixels::check_size;

/// Decodes the first frame of a GIF onto its canvas, which has the first colour of the palette where the frame leaves it
/// free. What is transparent keeps the colour of its place in the palette, as in the other formats.
///
/// # Errors
/// See [`PictureFault`].
pub(super) fn decode(bytes: &[u8], max_pixels: u64) -> Result<Picture, PictureFault> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    // Four bytes for each pixel; a frame that exceeds its canvas is refused.
    let most = NonZeroU64::new(max_pixels.saturating_mul(4)).unwrap_or(NonZeroU64::MIN);
    options.set_memory_limit(MemoryLimit::Bytes(most));
    options.check_frame_consistency(true);
    let mut decoder = options.read_info(bytes).map_err(fault)?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    check_size(width, height, max_pixels)?;
    let ground =
        decoder.global_palette().and_then(|palette| palette.first_chunk()).copied().unwrap_or([0; 3]);
    let frame = decoder.read_next_frame().map_err(fault)?.ok_or(PictureFault::CutOff("GIF"))?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let across = usize::from(frame.width);
    let mut rgb = ground.repeat(width * height);
    for (row, pixels) in frame.buffer.chunks_exact(4 * across.max(1)).enumerate() {
        for (column, pixel) in pixels.as_chunks::<4>().0.iter().enumerate() {
            let at = 3 * ((top + row) * width + left + column);
            rgb[at..at + 3].copy_from_slice(&pixel[..3]);
        }
    }
    Ok(Picture::new(width, height, rgb))
}

fn fault(error: DecodingError) -> PictureFault {
    match error {
        DecodingError::UnexpectedEof => PictureFault::CutOff("GIF"),
        other => PictureFault::broken("GIF")(&other),
    }
}
