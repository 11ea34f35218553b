//! Pairwise margins `Delta(u,i,j) = <y_u, z_i> - <y_u, z_j>` of triples, and their gradients.

use crate::triples::TriplesRef;
use crate::vector::{add_scaled, wide};
use rayon::prelude::*;

/// Triples handled by one task.
const CHUNK: usize = 256;

/// `out[b] = <y_u, z_i> - <y_u, z_j>` computed as `<y_u, z_i - z_j>`, so that `i = j` gives exactly 0.
///
/// `users` and `items` are row-major with `width` columns; `out` has one value per triple.
///
/// # Panics
/// If a row index or a length does not fit.
pub fn margins(users: &[f32], items: &[f32], width: usize, triples: TriplesRef, out: &mut [f32]) {
    assert_eq!(out.len(), triples.len(), "margins: output length");
    out.par_chunks_mut(CHUNK).enumerate().for_each(|(c, out)| {
        chunk(users, items, width, triples, c * CHUNK, out);
    });
}

wide! {
    fn chunk(users: &[f32], items: &[f32], width: usize, triples: TriplesRef, from: usize, out: &mut [f32]) {
        for (k, o) in out.iter_mut().enumerate() {
            let (y, zi, zj) = rows_of(users, items, width, triples, from + k);
            *o = difference_dot(y, zi, zj);
        }
    }
}

#[inline(always)]
fn rows_of<'a>(
    users: &'a [f32],
    items: &'a [f32],
    width: usize,
    t: TriplesRef,
    b: usize,
) -> (&'a [f32], &'a [f32], &'a [f32]) {
    let row = |table: &'a [f32], r: u32| &table[r as usize * width..][..width];
    (row(users, t.users[b]), row(items, t.positives[b]), row(items, t.negatives[b]))
}

#[inline(always)]
fn difference_dot(y: &[f32], zi: &[f32], zj: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0f32; LANES];
    let (y_main, y_rest) = y.as_chunks::<LANES>();
    let (i_main, i_rest) = zi.as_chunks::<LANES>();
    let (j_main, j_rest) = zj.as_chunks::<LANES>();
    for ((y, zi), zj) in y_main.iter().zip(i_main).zip(j_main) {
        for l in 0..LANES {
            lanes[l] += y[l] * (zi[l] - zj[l]);
        }
    }
    let rest: f32 = y_rest.iter().zip(i_rest).zip(j_rest).map(|((y, a), b)| y * (a - b)).sum();
    lanes.iter().sum::<f32>() + rest
}

/// Adds the gradient of [`margins`] to `d_users` and `d_items`, given `grad = dL/dDelta` per triple:
///
/// ```text
/// dL/dy_u += g (z_i - z_j),   dL/dz_i += g y_u,   dL/dz_j -= g y_u
/// ```
///
/// Triples are added in order, so a row met twice sums the same way every time.
///
/// # Panics
/// If a row index or a length does not fit.
pub fn margins_backward(
    users: &[f32],
    items: &[f32],
    width: usize,
    triples: TriplesRef,
    grad: &[f32],
    d_users: &mut [f32],
    d_items: &mut [f32],
) {
    assert_eq!(grad.len(), triples.len(), "margins: gradient length");
    rayon::join(
        || add_user_gradients(users, items, width, triples, grad, d_users),
        || add_item_gradients(users, items, width, triples, grad, d_items),
    );
}

wide! {
    fn add_user_gradients(
        users: &[f32],
        items: &[f32],
        width: usize,
        t: TriplesRef,
        grad: &[f32],
        d_users: &mut [f32],
    ) {
        for (b, &g) in grad.iter().enumerate().filter(|(_, g)| **g != 0.0) {
            let (_, zi, zj) = rows_of(users, items, width, t, b);
            let out = &mut d_users[t.users[b] as usize * width..][..width];
            for ((o, zi), zj) in out.iter_mut().zip(zi).zip(zj) {
                *o += g * (zi - zj);
            }
        }
    }
}

wide! {
    fn add_item_gradients(
        users: &[f32],
        items: &[f32],
        width: usize,
        t: TriplesRef,
        grad: &[f32],
        d_items: &mut [f32],
    ) {
        for (b, &g) in grad.iter().enumerate().filter(|(_, g)| **g != 0.0) {
            let (y, _, _) = rows_of(users, items, width, t, b);
            add_scaled(&mut d_items[t.positives[b] as usize * width..][..width], g, y);
            add_scaled(&mut d_items[t.negatives[b] as usize * width..][..width], -g, y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: usize, width: usize, seed: f32) -> Vec<f32> {
        (0..rows * width).map(|k| ((k as f32 * 0.37 + seed).sin() * 8.0).round() / 4.0).collect()
    }

    #[test]
    fn margin_is_the_difference_of_two_scores() {
        let (w, y, z) = (19, table(5, 19, 0.1), table(7, 19, 0.7));
        let t = TriplesRef { users: &[0, 4, 2], positives: &[1, 6, 3], negatives: &[2, 0, 3] };
        let mut out = [0.0; 3];
        margins(&y, &z, w, t, &mut out);
        for (b, &margin) in out.iter().enumerate() {
            let (yu, zi, zj) = rows_of(&y, &z, w, t, b);
            assert_eq!(margin, crate::dot(yu, zi) - crate::dot(yu, zj));
        }
        assert_eq!(out[2], 0.0, "equal items have no margin");
    }

    #[test]
    fn gradient_agrees_with_a_difference_quotient() {
        let (w, y, z) = (3, table(4, 3, 0.2), table(5, 3, 0.9));
        let t = TriplesRef { users: &[0, 3, 0], positives: &[1, 4, 2], negatives: &[0, 1, 2] };
        let g = [0.5, -2.0, 3.0];
        let (mut dy, mut dz) = (vec![0.0; y.len()], vec![0.0; z.len()]);
        margins_backward(&y, &z, w, t, &g, &mut dy, &mut dz);
        let loss = |y: &[f32], z: &[f32]| {
            let mut out = [0.0; 3];
            margins(y, z, w, t, &mut out);
            out.iter().zip(&g).map(|(m, g)| m * g).sum::<f32>()
        };
        let h = 0.25; // the loss is bilinear: any step is exact up to rounding
        for k in 0..y.len() {
            let (mut up, mut down) = (y.clone(), y.clone());
            up[k] += h;
            down[k] -= h;
            assert!((dy[k] - (loss(&up, &z) - loss(&down, &z)) / (2.0 * h)).abs() < 1e-4);
        }
        for k in 0..z.len() {
            let (mut up, mut down) = (z.clone(), z.clone());
            up[k] += h;
            down[k] -= h;
            assert!((dz[k] - (loss(&y, &up) - loss(&y, &down)) / (2.0 * h)).abs() < 1e-4);
        }
    }
}
