//! The picture encoder that needs no model: colours, where they are, and edges, of a thumbnail of 32 x 32.
//!
//! ```text
//! layout   l_cq   = mean of channel q over cell c of 4 x 4, in [0, 1], less 1/2                    48 columns
//! colours  h_b    = sqrt(share of the pixels whose red, green and blue fall into bin b of 4x4x4)   64 columns
//! edges    g_co   = sum over cell c of |grad Y| shared between the two directions o next to it     128 columns
//!          e_c    = g_c / sqrt(||g_c||^2 + 0.01)
//! ```
//!
//! `Y = 0.299 R + 0.587 G + 0.114 B`; the gradient is a central difference, one-sided at the border, its 8 directions are
//! those of undirected edges over half a turn. `h` is the Hellinger form of the colour histogram (Arandjelovic and
//! Zisserman, CVPR 2012), `e` are histograms of oriented gradients (Dalal and Triggs, CVPR 2005), normalised cell by cell.
//! Each part has about unit length.

use std::f32::consts::PI;
use std::path::PathBuf;

use super::picture::{Picture, open};
use super::preprocess::{Kernel, Preprocessing, Resize};
use crate::job::{Encoder, Remark};
use crate::transformer::unit_rows;

/// Side of the thumbnail.
const SIDE: usize = 32;
/// Cells along a side.
const CELLS: usize = 4;
/// Pixels along the side of a cell.
const CELL: usize = SIDE / CELLS;
/// Bins of each colour.
const BINS: usize = 4;
/// Directions of edges.
const DIRECTIONS: usize = 8;
const LAYOUT: usize = 3 * CELLS * CELLS;
const COLOURS: usize = BINS * BINS * BINS;
const WIDTH: usize = LAYOUT + COLOURS + DIRECTIONS * CELLS * CELLS;
/// Added to a cell's squared length: edges fainter than this count as none.
const FAINT: f32 = 0.01;

/// The encoder.
pub(super) struct Builtin {
    /// Whether rows are given norm 1.
    pub normalise: bool,
}

/// The thumbnail: red, green and blue in [0, 1], plane after plane.
fn thumbnail(picture: &Picture) -> Vec<f32> {
    let size = Resize::Exact { height: SIDE, width: SIDE };
    let preprocessing = Preprocessing {
        resize: Some((size, Kernel::Bilinear)),
        crop: None,
        rescale: Some(1.0 / 255.0),
        normalise: None,
    };
    preprocessing.apply(picture).0
}

fn cell(pixel: usize) -> usize {
    pixel / SIDE / CELL * CELLS + pixel % SIDE / CELL
}

fn layout(planes: &[f32], out: &mut [f32]) {
    out.fill(-0.5);
    for (channel, plane) in planes.chunks_exact(SIDE * SIDE).enumerate() {
        for (pixel, value) in plane.iter().enumerate() {
            out[3 * cell(pixel) + channel] += value / (CELL * CELL) as f32;
        }
    }
}

fn colours(planes: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    for pixel in 0..SIDE * SIDE {
        let bin = |channel: usize| {
            let value = planes[channel * SIDE * SIDE + pixel];
            ((value * BINS as f32) as usize).min(BINS - 1)
        };
        out[(bin(0) * BINS + bin(1)) * BINS + bin(2)] += 1.0 / (SIDE * SIDE) as f32;
    }
    out.iter_mut().for_each(|share| *share = share.sqrt());
}

fn edges(planes: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    let light = |row: usize, column: usize| {
        let value = |channel: usize| planes[(channel * SIDE + row) * SIDE + column];
        0.299 * value(0) + 0.587 * value(1) + 0.114 * value(2)
    };
    for pixel in 0..SIDE * SIDE {
        let (row, column) = (pixel / SIDE, pixel % SIDE);
        let (up, down) = (row.saturating_sub(1), (row + 1).min(SIDE - 1));
        let (left, right) = (column.saturating_sub(1), (column + 1).min(SIDE - 1));
        let dy = (light(down, column) - light(up, column)) / (down - up) as f32;
        let dx = (light(row, right) - light(row, left)) / (right - left) as f32;
        // In directions, 0 to DIRECTIONS: an edge and its opposite are one.
        let turn = dy.atan2(dx).rem_euclid(PI) / PI * DIRECTIONS as f32;
        let (first, share) = (turn as usize % DIRECTIONS, turn.fract());
        let length = dy.hypot(dx);
        let cell = &mut out[DIRECTIONS * cell(pixel)..][..DIRECTIONS];
        cell[first] += (1.0 - share) * length;
        cell[(first + 1) % DIRECTIONS] += share * length;
    }
    for cell in out.chunks_exact_mut(DIRECTIONS) {
        let scale = 1.0 / (cell.iter().map(|g| g * g).sum::<f32>() + FAINT).sqrt();
        // Cells together have at most length 1.
        cell.iter_mut().for_each(|g| *g *= scale / CELLS as f32);
    }
}

fn row(picture: &Picture, out: &mut [f32]) {
    let planes = thumbnail(picture);
    let (first, rest) = out.split_at_mut(LAYOUT);
    let (second, third) = rest.split_at_mut(COLOURS);
    layout(&planes, first);
    colours(&planes, second);
    edges(&planes, third);
}

impl Encoder for Builtin {
    type Input = PathBuf;

    fn width(&self) -> usize {
        WIDTH
    }

    fn encode(&self, batch: &[PathBuf], out: &mut [f32]) -> Vec<Remark> {
        let mut broken = Vec::new();
        for (place, (path, out)) in batch.iter().zip(out.chunks_exact_mut(WIDTH)).enumerate() {
            match open(path) {
                Ok(picture) => {
                    row(&picture, out);
                    if self.normalise {
                        unit_rows(out, WIDTH);
                    }
                }
                Err(fault) => broken.push(Remark::broken_file(place, path, fault)),
            }
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(colour: impl Fn(usize, usize) -> [u8; 3]) -> Vec<f32> {
        let pixels = (0..64 * 64).flat_map(|p| colour(p / 64, p % 64)).collect();
        let mut out = vec![f32::NAN; WIDTH];
        row(&Picture::new(64, 64, pixels), &mut out);
        out
    }

    #[test]
    fn one_colour_fills_one_bin_and_has_no_edges() {
        let row = drawn(|_, _| [255, 0, 102]);
        for cell in row[..LAYOUT].chunks(3) {
            assert!(cell.iter().zip([0.5, -0.5, -0.1]).all(|(f, w)| (f - w).abs() < 1e-5), "{cell:?}");
        }
        // Red in the last bin, green in the first, blue (0.4) in the second.
        let filled: Vec<usize> = (0..COLOURS).filter(|&b| row[LAYOUT + b] > 0.0).collect();
        assert_eq!(filled, [3 * BINS * BINS + 1]);
        assert!((row[LAYOUT + filled[0]] - 1.0).abs() < 1e-5);
        assert!(row[LAYOUT + COLOURS..].iter().all(|g| g.abs() < 1e-6));
    }

    #[test]
    fn stripes_show_in_the_direction_across_them() {
        let direction = |row: Vec<f32>| {
            let mut sums = [0.0; DIRECTIONS];
            for cell in row[LAYOUT + COLOURS..].chunks(DIRECTIONS) {
                cell.iter().zip(&mut sums).for_each(|(g, sum)| *sum += g);
            }
            (0..DIRECTIONS).max_by(|&a, &b| sums[a].total_cmp(&sums[b])).expect("directions")
        };
        let wave = |x: usize| (127.0 + 120.0 * (x as f32 * 0.4).sin()) as u8;
        assert_eq!(direction(drawn(|_, x| [wave(x); 3])), 0, "light changes along rows");
        assert_eq!(direction(drawn(|y, _| [wave(y); 3])), DIRECTIONS / 2, "light changes along columns");
        assert_eq!(direction(drawn(|y, x| [wave(x + y); 3])), DIRECTIONS / 4, "on the diagonal");
    }

    #[test]
    fn parts_keep_their_place_and_their_length() {
        let row = drawn(|y, x| if (y < 32) == (x < 32) { [250, 250, 250] } else { [10, 10, 10] });
        let corner = |r: usize, c: usize| row[3 * (r * CELLS + c)];
        assert!(corner(0, 0) > 0.4 && corner(3, 3) > 0.4 && corner(0, 3) < -0.4 && corner(3, 0) < -0.4);
        for part in [&row[LAYOUT..LAYOUT + COLOURS], &row[LAYOUT + COLOURS..]] {
            let length = part.iter().map(|v| v * v).sum::<f32>().sqrt();
            assert!(length > 0.1 && length < 1.001, "{length}");
        }
    }
}
