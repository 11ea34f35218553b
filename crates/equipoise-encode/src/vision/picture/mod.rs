//! Pictures: files in, RGB of 8 bits out.

mod decode;
mod fault;
mod gif;
mod jpeg;
mod orientation;
mod pixels;
mod png;
#[cfg(test)]
mod tests;
mod webp;

#[cfg(test)]
use decode::MAX_PIXELS;
pub(crate) use decode::open;

/// An upright picture of 8 bits a channel: row after row, red, green and blue of each pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Pixels of a row, at least 1.
    pub width: usize,
    /// Rows, at least 1.
    pub height: usize,
    /// `3 * width * height` bytes.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// A picture of these bytes.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Picture {
        debug_assert_eq!(rgb.len(), 3 * width * height);
        Picture { width, height, rgb }
    }
}
