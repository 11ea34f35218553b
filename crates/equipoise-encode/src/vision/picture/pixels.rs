//! What every decoder does with the pixels of its format.

use super::fault::PictureFault;

/// Refuses sizes that are zero or too large.
///
/// # Errors
/// Says the size and the limit.
pub(super) fn check_size(width: usize, height: usize, limit: u64) -> Result<(), PictureFault> {
    let (width, height) = (width as u64, height as u64);
    match width.saturating_mul(height) {
        0 => Err(PictureFault::NoPixels),
        pixels if pixels > limit => Err(PictureFault::TooManyPixels { width, height, limit }),
        _ => Ok(()),
    }
}

/// Keeps the colours of pixels of `samples` bytes: grey, grey and alpha, RGB, or RGB and alpha.
pub(super) fn colours(pixels: Vec<u8>, samples: usize) -> Vec<u8> {
    match samples {
        1 => pixels.iter().flat_map(|&grey| [grey; 3]).collect(),
        2 => pixels.as_chunks::<2>().0.iter().flat_map(|&[grey, _]| [grey; 3]).collect(),
        4 => pixels.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect(),
        _ => pixels,
    }
}
