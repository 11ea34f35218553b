//! The minimum of a stranger's ranking loss, see [`fold_in`](crate::fold_in).
//!
//! ```text
//! f(p) = sum_{i in B} v_i mean_{j in N} softplus(-<p, z_i - z_j>) + lambda / 2 * ||p - p_0||^2,   sum v = |B|
//! ```
//!
//! The slopes of all pairs need one exponential for each item: `1 / (1 + exp(s_i - s_j)) = e_j / (e_j + e_i)` with
//! `e = exp(s - max s)`. Rows are multiplied in single precision, in a fixed number of partial sums; slopes, step lengths and sums over
//! pairs are in double precision. The order of all sums is fixed.

/// Most gradient steps.
pub(crate) const STEPS: usize = 60;
/// The descent ends when the gradient is this share of what it was at the start.
const SMALL: f64 = 1e-4;
/// Partial sums of an inner product, and of a sum over pairs.
const LANES: usize = 8;

/// One stranger's loss.
pub(crate) struct Descent<'a> {
    basket: &'a [(&'a [f32], f64)],
    /// What the pairs of each item of the basket count.
    shares: Vec<f64>,
    others: &'a [&'a [f32]],
    start: &'a [f64],
    lambda: f64,
}

/// Room for one gradient.
struct Scratch {
    own: Vec<f64>,
    /// Padded with zeros to whole lanes.
    beyond: Vec<f64>,
    pushes: Vec<f64>,
    row: Vec<f32>,
    sum: Vec<f32>,
}

impl<'a> Descent<'a> {
    /// The loss of rows of a basket with their weights against `others`; `None` if either is empty.
    pub(crate) fn new(
        basket: &'a [(&'a [f32], f64)],
        others: &'a [&'a [f32]],
        start: &'a [f64],
        lambda: f64,
    ) -> Option<Descent<'a>> {
        if basket.is_empty() || others.is_empty() {
            return None;
        }
        let total: f64 = basket.iter().map(|(_, weight)| weight).sum();
        let share = |weight: f64| weight / total * basket.len() as f64 / others.len() as f64;
        let shares = basket.iter().map(|&(_, weight)| share(weight)).collect();
        Some(Descent { basket, shares, others, start, lambda })
    }

    /// Where gradient steps of Barzilai and Borwein's length end.
    pub(crate) fn end(self) -> Vec<f64> {
        let padded = self.others.len().next_multiple_of(LANES);
        let mut scratch = Scratch {
            own: vec![0.0; self.basket.len()],
            beyond: vec![0.0; padded],
            pushes: vec![0.0; padded],
            row: vec![0.0; self.start.len()],
            sum: vec![0.0; self.start.len()],
        };
        let mut row = self.start.to_vec();
        let mut gradient = vec![0.0; row.len()];
        let (mut next, mut there) = (row.clone(), gradient.clone());
        self.gradient(&row, &mut gradient, &mut scratch);
        let small = SMALL * SMALL * square(&gradient);
        let mut step = 1.0 / (self.lambda + self.curvature());
        for _ in 0..STEPS {
            next.iter_mut().zip(&row).zip(&gradient).for_each(|((n, p), g)| *n = p - step * g);
            self.gradient(&next, &mut there, &mut scratch);
            let (mut moved, mut turned) = (0.0, 0.0);
            for d in 0..row.len() {
                let (s, y) = (next[d] - row[d], there[d] - gradient[d]);
                moved += s * s;
                turned += s * y;
            }
            std::mem::swap(&mut row, &mut next);
            std::mem::swap(&mut gradient, &mut there);
            if turned <= 0.0 || moved <= 1e-14 || square(&gradient) <= small {
                break;
            }
            step = moved / turned;
        }
        row
    }

    /// Every pair has a curvature of at most a quarter of the squared distance of its rows.
    fn curvature(&self) -> f64 {
        let norm = |row: &[f32]| f64::from(inner(row, row)).sqrt();
        let of_others = self.others.iter().map(|row| norm(row)).fold(0.0, f64::max);
        self.basket.iter().map(|(row, _)| (norm(row) + of_others).powi(2) / 4.0).sum()
    }

    fn gradient(&self, at: &[f64], gradient: &mut [f64], scratch: &mut Scratch) {
        let Scratch { own, beyond, pushes, row, sum } = scratch;
        row.iter_mut().zip(at).for_each(|(r, &p)| *r = p as f32);
        own.iter_mut().zip(self.basket).for_each(|(e, (item, _))| *e = f64::from(inner(item, row)));
        beyond.iter_mut().zip(self.others).for_each(|(e, item)| *e = f64::from(inner(item, row)));
        let scores = own.iter().chain(&beyond[..self.others.len()]);
        let most = scores.copied().fold(f64::NEG_INFINITY, f64::max);
        // Two scores that far below the largest would be 0 / 0.
        let exponential = |e: &mut f64| *e = (*e - most).exp().max(f64::MIN_POSITIVE);
        own.iter_mut().chain(&mut beyond[..self.others.len()]).for_each(exponential);
        pushes.fill(0.0);
        sum.fill(0.0);
        for ((&own, &share), (item, _)) in own.iter().zip(&self.shares).zip(self.basket) {
            add(sum, -slopes(own, share, beyond, pushes), item);
        }
        for (push, item) in pushes.iter().zip(self.others) {
            add(sum, *push, item);
        }
        for ((g, &s), (p, start)) in gradient.iter_mut().zip(&*sum).zip(at.iter().zip(self.start)) {
            *g = f64::from(s) + self.lambda * (p - start);
        }
    }
}

/// Adds the slope of each pair of one item of the basket to `pushes`; their sum. What is padded has the slope 0.
fn slopes(own: f64, share: f64, beyond: &[f64], pushes: &mut [f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (beyond, _) = beyond.as_chunks::<LANES>();
    let (pushes, _) = pushes.as_chunks_mut::<LANES>();
    for (others, pushes) in beyond.iter().zip(pushes) {
        for lane in 0..LANES {
            let slope = share * (others[lane] / (others[lane] + own));
            pushes[lane] += slope;
            sums[lane] += slope;
        }
    }
    sums.iter().sum()
}

fn add(sum: &mut [f32], by: f64, row: &[f32]) {
    let by = by as f32;
    sum.iter_mut().zip(row).for_each(|(s, &v)| *s += by * v);
}

fn square(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum()
}

/// The inner product of two rows of one length.
fn inner(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_data::Seed;

    const WIDTH: usize = 19;

    fn rows(n: usize, name: &str) -> Vec<Vec<f32>> {
        let mut stream = Seed(3).stream(name);
        let value = |stream: &mut equipoise_data::Stream| stream.below(2001) as f32 / 1000.0 - 1.0;
        (0..n).map(|_| (0..WIDTH).map(|_| value(&mut stream)).collect()).collect()
    }

    /// The loss as the documentation writes it.
    fn loss(basket: &[(&[f32], f64)], others: &[&[f32]], start: &[f64], lambda: f64, at: &[f64]) -> f64 {
        let score = |row: &[f32]| row.iter().zip(at).map(|(&z, p)| f64::from(z) * p).sum::<f64>();
        let total: f64 = basket.iter().map(|(_, w)| w).sum();
        let of_item = |&(item, weight): &(&[f32], f64)| {
            let of_pair = |other: &&[f32]| (-(score(item) - score(other))).exp().ln_1p();
            let mean = others.iter().map(of_pair).sum::<f64>() / others.len() as f64;
            weight / total * basket.len() as f64 * mean
        };
        let apart: f64 = at.iter().zip(start).map(|(p, s)| (p - s) * (p - s)).sum();
        basket.iter().map(of_item).sum::<f64>() + lambda / 2.0 * apart
    }

    #[test]
    fn the_end_is_the_minimum_of_the_loss() {
        let (items, others) = (rows(5, "basket"), rows(37, "others"));
        let basket: Vec<(&[f32], f64)> =
            items.iter().zip([1.0, 2.0, 1.0, 0.5, 1.0]).map(|(r, w)| (r.as_slice(), w)).collect();
        let others: Vec<&[f32]> = others.iter().map(Vec::as_slice).collect();
        let start = vec![0.1; WIDTH];
        for lambda in [0.1, 1.0, 10.0] {
            let end = Descent::new(&basket, &others, &start, lambda).unwrap().end();
            let least = loss(&basket, &others, &start, lambda, &end);
            assert!(least < loss(&basket, &others, &start, lambda, &start));
            for d in 0..WIDTH {
                for by in [-1e-2, 1e-2] {
                    let mut beside = end.clone();
                    beside[d] += by;
                    assert!(loss(&basket, &others, &start, lambda, &beside) > least, "{lambda} {d} {by}");
                }
            }
        }
    }

    #[test]
    fn scores_far_apart_give_finite_rows_and_nothing_to_compare_gives_none() {
        let far = vec![3e4f32; WIDTH];
        let near: Vec<f32> = far.iter().map(|v| -v).collect();
        let (basket, others, start) = ([(far.as_slice(), 1.0)], [near.as_slice()], vec![-1.0; WIDTH]);
        let end = Descent::new(&basket, &others, &start, 0.01).unwrap().end();
        assert!(end.iter().all(|v| v.is_finite()), "{end:?}");
        assert!(Descent::new(&basket, &[], &start, 1.0).is_none());
        assert!(Descent::new(&[], &others, &start, 1.0).is_none());
    }
}
