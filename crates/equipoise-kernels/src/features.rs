//! Frozen feature matrices as they are stored: float32 or float16.

use crate::prefetch::RowLines;
use half::f16;
use half::slice::HalfFloatSliceExt;
use std::ops::Range;

/// Something that exists in one of the two precisions in which features are stored: a slice, a vector, a mapped file.
#[derive(Clone, Copy, Debug)]
pub enum SingleOrHalf<S, H> {
    /// float32.
    Single(S),
    /// float16.
    Half(H),
}

/// All values of a matrix, row after row. A float16 is a float32 exactly, so both precisions give the same results.
pub type FeatureValues<'a> = SingleOrHalf<&'a [f32], &'a [f16]>;

/// A frozen row-major feature matrix.
#[derive(Clone, Copy, Debug)]
pub struct FeatureRows<'a> {
    /// All values, row after row.
    pub values: FeatureValues<'a>,
    /// Feature width `d_m`.
    pub width: usize,
}

impl<'a> FeatureRows<'a> {
    /// Some columns of row `r`: borrowed, or converted from float16 into `room`, which is as long.
    #[inline]
    pub(crate) fn piece<'b>(&self, r: u32, columns: Range<usize>, room: &'b mut [f32]) -> &'b [f32]
    where
        'a: 'b,
    {
        let at = r as usize * self.width;
        match self.values {
            SingleOrHalf::Single(values) => &values[at..][..self.width][columns],
            SingleOrHalf::Half(values) => {
                values[at..][..self.width][columns].convert_to_f32_slice(room);
                room
            }
        }
    }

    /// The cache lines of some columns of `rows`, for prefetching.
    pub(crate) fn lines(&self, rows: &'a [u32], columns: Range<usize>) -> RowLines<'a> {
        match self.values {
            SingleOrHalf::Single(values) => RowLines::new(values, self.width, columns, rows),
            SingleOrHalf::Half(values) => RowLines::new(values, self.width, columns, rows),
        }
    }
}
