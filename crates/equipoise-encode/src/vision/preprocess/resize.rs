//! Resizing pictures of 8 bits, along rows and along columns.
//!
//! Weights are rounded to multiples of `2^-22` and both passes round to 8 bits, which is the arithmetic of Pillow's
//! `Image.resize`: the results are the same to the last bit. Only the part that is wanted is computed.

use std::ops::Range;

use super::fixed_taps::FixedTaps;
use super::kernel::Kernel;
use super::resize_loops::{along_columns, along_rows};
use crate::vision::picture::Picture;

/// The rows and columns wanted of a picture resized to a height and a width. A direction whose size stays is copied.
pub(super) fn resize(
    picture: &Picture,
    (height, width): (usize, usize),
    kernel: Kernel,
    rows: &Range<usize>,
    columns: &Range<usize>,
) -> Picture {
    let vertical =
        (height != picture.height).then(|| FixedTaps::new(kernel, picture.height, height, rows.clone()));
    let horizontal =
        (width != picture.width).then(|| FixedTaps::new(kernel, picture.width, width, columns.clone()));
    let source = vertical.as_ref().map_or(rows.clone(), FixedTaps::span);
    let bytes = 3 * picture.width;
    let strip = &picture.rgb[bytes * source.start..bytes * source.end];
    let vertical = vertical.map(|taps| taps.less(source.start));
    let rgb = match (vertical, horizontal) {
        (None, None) => cut(strip, bytes, columns),
        (None, Some(across)) => along_rows(strip, picture.width, &across),
        (Some(down), None) => along_columns(&cut(strip, bytes, columns), 3 * columns.len(), &down),
        (Some(down), Some(across)) if columns_first(picture, height, width) => {
            along_rows(&along_columns(strip, bytes, &down), picture.width, &across)
        }
        (Some(down), Some(across)) => {
            along_columns(&along_rows(strip, picture.width, &across), 3 * columns.len(), &down)
        }
    };
    Picture::new(columns.len(), rows.len(), rgb)
}

/// Whether columns come first: where more than twice as many rows as columns are lost. So it is in Pillow 13; before,
/// rows always came first, which changes some bytes by rounding.
fn columns_first(picture: &Picture, height: usize, width: usize) -> bool {
    height < picture.height && picture.height - height > 2 * picture.width.saturating_sub(width)
}

fn cut(strip: &[u8], bytes: usize, columns: &Range<usize>) -> Vec<u8> {
    let kept = 3 * columns.start..3 * columns.end;
    strip.chunks_exact(bytes).flat_map(|row| &row[kept.clone()]).copied().collect()
}
