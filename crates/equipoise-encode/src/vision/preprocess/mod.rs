//! From a picture to what a model reads, as the folder's `preprocessor_config.json` says.
//!
//! ```text
//! resize (8 bits) -> centre crop -> x * rescale_factor -> (x - mean) / std
//! ```

mod config;
mod crop;
mod fixed_taps;
mod kernel;
mod resize;
mod resize_loops;
mod settings;
#[cfg(test)]
mod tests;

pub(crate) use config::parse;
pub(crate) use kernel::{Kernel, cubic, taps};
pub(crate) use settings::{Preprocessing, Resize};

use super::picture::Picture;
use crop::{Middle, framed};
use resize::resize;

impl Preprocessing {
    /// Rows and columns of what comes out, where that does not depend on the picture.
    pub fn output_size(&self) -> Option<(usize, usize)> {
        match (self.crop, self.resize) {
            (Some(size), _) => Some(size),
            (None, Some((Resize::Exact { height, width }, _))) => Some((height, width)),
            _ => None,
        }
    }

    /// Planes of red, green and blue, each row after row: `[3, height, width]` with the height and the width.
    pub fn apply(&self, picture: &Picture) -> (Vec<f32>, usize, usize) {
        let (height, width) = (picture.height, picture.width);
        let (target, kernel) = match self.resize {
            Some((target, kernel)) => (target.size(height, width), kernel),
            None => ((height, width), Kernel::Nearest),
        };
        let (rows, columns) = match self.crop {
            Some((height, width)) => (Middle::new(target.0, height), Middle::new(target.1, width)),
            None => (Middle::all(target.0), Middle::all(target.1)),
        };
        let picture = resize(picture, target, kernel, &rows.kept, &columns.kept);
        let picture = framed(picture, &rows, &columns);
        let tables: Vec<[f32; 256]> = (0..3).map(|channel| self.table(channel)).collect();
        let mut planes = Vec::with_capacity(picture.rgb.len());
        for (channel, table) in tables.iter().enumerate() {
            planes.extend(
                picture.rgb.as_chunks::<3>().0.iter().map(|pixel| table[usize::from(pixel[channel])]),
            );
        }
        (planes, picture.height, picture.width)
    }

    /// What each of the 256 values of a channel becomes: rescaled in float64, then in float32.
    fn table(&self, channel: usize) -> [f32; 256] {
        std::array::from_fn(|value| {
            let rescaled = self.rescale.map_or(value as f32, |factor| (value as f64 * factor) as f32);
            match self.normalise {
                Some((mean, std)) => (rescaled - mean[channel]) / std[channel],
                None => rescaled,
            }
        })
    }
}
