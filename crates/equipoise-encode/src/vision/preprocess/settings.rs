//! What is done to a picture.

use super::kernel::Kernel;

/// Mean and standard deviation of each channel.
pub(crate) type MeanAndStd = ([f32; 3], [f32; 3]);

/// What is done to a picture before a model reads it, in this order. `None` leaves a step out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Preprocessing {
    /// Target size, and how pixels are weighed.
    pub resize: Option<(Resize, Kernel)>,
    /// Height and width of the part cut from the middle; black around pictures that are smaller.
    pub crop: Option<(usize, usize)>,
    /// What values 0 to 255 are multiplied by.
    pub rescale: Option<f64>,
    /// Mean and standard deviation of red, green and blue.
    pub normalise: Option<MeanAndStd>,
}

/// The size to which a picture is resized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resize {
    /// Rows and columns, whatever the proportions were.
    Exact {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// The shorter edge; the longer in proportion, rounded down.
    ShortestEdge(usize),
}

impl Resize {
    /// Rows and columns of a picture of so many rows and columns once resized.
    pub fn size(self, height: usize, width: usize) -> (usize, usize) {
        match self {
            Resize::Exact { height, width } => (height, width),
            Resize::ShortestEdge(edge) => {
                let (short, long) = (height.min(width), height.max(width));
                let long = edge * long / short;
                if width <= height { (long, edge) } else { (edge, long) }
            }
        }
    }
}
