//! The middle of a picture.

use std::ops::Range;

use crate::vision::picture::Picture;

/// Which pixels along one direction are kept, and where they come to lie.
///
/// An odd number of pixels too many leaves one more on the right and at the bottom; an odd number missing puts one
/// more of black on the left and on top. Both follow the image processors of `transformers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Middle {
    /// Pixels kept.
    pub kept: Range<usize>,
    /// Black before them.
    before: usize,
    /// Pixels of the result.
    pub size: usize,
}

impl Middle {
    /// The middle `want` of `have` pixels.
    pub fn new(have: usize, want: usize) -> Middle {
        let from = have.saturating_sub(want) / 2;
        let before = want.saturating_sub(have).div_ceil(2);
        Middle { kept: from..from + want.min(have), before, size: want }
    }

    /// All of `have` pixels.
    pub fn all(have: usize) -> Middle {
        Middle::new(have, have)
    }
}

/// Sets a picture, of which only the kept rows and columns are left, in black up to its size.
pub(super) fn framed(picture: Picture, rows: &Middle, columns: &Middle) -> Picture {
    if (picture.height, picture.width) == (rows.size, columns.size) {
        return picture;
    }
    let mut rgb = vec![0; 3 * rows.size * columns.size];
    let bytes = 3 * picture.width;
    for (row, pixels) in picture.rgb.chunks_exact(bytes).enumerate() {
        let to = 3 * ((rows.before + row) * columns.size + columns.before);
        rgb[to..to + bytes].copy_from_slice(pixels);
    }
    Picture::new(columns.size, rows.size, rgb)
}
