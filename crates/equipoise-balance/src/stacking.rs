//! The sum of teachers that says most about interactions that none of them has seen.
//!
//! # Components
//! Of held-out triples (a user, an item that they chose later, one that they did not) each component `c` has a margin `x_c`: the ids teachers,
//! what the teacher of each modality makes of ids alone, `Dt^m,0`, and the content of each, `Dt^m - Dt^m,0`. `l(x) = ln(1 + e^-x)`.
//! ```text
//! w   = argmin over w >= 0 of mean over users [mean over a user's triples l(sum_c w_c x_c)] + 1/(2 U) sum_c (w_c s_c)^2   (1)
//! x_m = mean over users [mean l without the content of m - mean l with it],  each fitted anew                             (2)
//! a_m = w_m S(x_m, se(x_m)),   S(x, e) = 1 - (2 e / x)^2 where that and x are positive, else 0                            (3)
//! ```
//! `s_c` is the root mean square of `x_c`, `U` the number of users: the penalty is that of a prior of unit variance and only matters where there are few
//! users. A content that gains less than two standard errors over users is left out, the one with the least first, and the rest is fitted again: of
//! two modalities that say the same, one stays. What is left is shrunken by what is not sure of it (3), for a weight is a sure one only where the gain is.
//!
//! A teacher whose content is less than a thousandth of what it knows of ids contains nothing of its modality: such a content is left out from the start,
//! or rounding would be weighed.
//!
//! # What the sum is worth
//! ```text
//! x = mean over users of [mean l(b y) - mean l(sum_c w_c x_c)]                                                   (4)
//! ```
//! `y` are the margins of another score. Of the users in their order every other one is in one half; `b` and `w` of a user are fitted on the half
//! without the user, so that a sum of many components has no advantage.
//!
//! The content of noise has a weight of about 0, whatever its teacher reaches: what such a teacher knows are ids.

use crate::losses::wide_bpr;
use equipoise_eval::paired_error;

/// Steps of Newton's method at most; it takes about ten.
const STEPS: usize = 100;
/// Halvings of a step at most.
const HALVINGS: usize = 40;
/// The least content of a teacher, as a part of its margins without it.
const LEAST_CONTENT: f64 = 1e-3;
/// A step is the last if no standardised weight moves by more.
const TOLERANCE: f64 = 1e-9;

/// `1 - (2 se / x)^2` where that and `x` are positive, else 0: 0 within two standard errors of 0, towards 1 beyond (3).
///
/// # Examples
/// ```
/// use equipoise_balance::stacking::shrunken;
/// assert_eq!((shrunken(2.0, 0.0), shrunken(2.0, 1.0), shrunken(-2.0, 0.1)), (1.0, 0.0, 0.0));
/// assert_eq!(shrunken(4.0, 1.0), 0.75);
/// ```
pub fn shrunken(x: f64, se: f64) -> f64 {
    if x <= 0.0 || x.is_nan() || se.is_nan() { 0.0 } else { (1.0 - (2.0 * se / x).powi(2)).max(0.0) }
}

/// Weights of what the teachers say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stack {
    /// Of the two teachers of ids.
    pub ids: [f64; 2],
    /// Of the teacher of each modality with the modality silenced: what it knows of ids.
    pub silenced: Vec<f64>,
    /// Of the content of each modality, 0 where it adds nothing.
    pub content: Vec<f64>,
}

/// What something is worth beside something else: the content of a modality beside everything else (2) and the sum beside another
/// score (4) in nats, the sum beside the plain model in a metric.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gain {
    /// Mean over users.
    pub mean: f64,
    /// Standard error over users.
    pub error: f64,
}

/// Margins of components on held-out triples.
#[derive(Clone, Debug)]
pub struct HeldOut {
    columns: Vec<Vec<f64>>,
    /// Where the triples of each user end.
    ends: Vec<usize>,
}

/// A value of the objective, its gradient and its second derivatives, row-major.
struct Slope {
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

impl HeldOut {
    /// Margins of each component, and the user of each triple. The triples of a user stand together.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn new(columns: Vec<Vec<f64>>, users: &[u32]) -> HeldOut {
        assert!(columns.iter().all(|column| column.len() == users.len()), "one margin for each triple");
        let ends = (1..=users.len()).filter(|&k| k == users.len() || users[k] != users[k - 1]).collect();
        HeldOut { columns, ends }
    }

    fn users(&self) -> usize {
        self.ends.len()
    }

    /// The triples of each user.
    fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| start..end)
    }

    /// Mean loss of each user under weights.
    pub fn losses(&self, weights: &[f64]) -> Vec<f64> {
        let of = |range: std::ops::Range<usize>| {
            let count = range.len() as f64;
            range.map(|t| wide_bpr(self.margin(weights, t))).sum::<f64>() / count
        };
        self.ranges().map(of).collect()
    }

    /// Every other user, from the first or the second.
    fn half(&self, second: bool) -> HeldOut {
        let kept: Vec<std::ops::Range<usize>> = self.ranges().skip(usize::from(second)).step_by(2).collect();
        let narrowed =
            |column: &Vec<f64>| kept.iter().flat_map(|range| column[range.clone()].iter().copied()).collect();
        let ends = kept.iter().scan(0, |end, range| {
            *end += range.len();
            Some(*end)
        });
        HeldOut { columns: self.columns.iter().map(narrowed).collect(), ends: ends.collect() }
    }

    /// What the sum of the components of a stack is worth beside another score (4), given its margins on the same triples.
    ///
    /// # Panics
    /// If there are not as many margins as triples.
    pub fn gain_over(&self, other: &[f64], stack: &Stack) -> Gain {
        assert_eq!(other.len(), self.ends.last().copied().unwrap_or(0), "one margin for each triple");
        let n = stack.content.len();
        let content = stack.content.iter().map(|&weight| weight > 0.0);
        let allowed: Vec<bool> = std::iter::repeat_n(true, 2 + n).chain(content).collect();
        let other = HeldOut { columns: vec![other.to_vec()], ends: self.ends.clone() };
        let apart = |all: &HeldOut, allowed: &[bool]| -> Vec<f64> {
            let crossed = |second: bool| all.half(second).losses(&all.half(!second).fitted(allowed));
            [crossed(false), crossed(true)].concat()
        };
        Gain::of(&apart(&other, &[true]), &apart(self, &allowed))
    }

    fn margin(&self, weights: &[f64], triple: usize) -> f64 {
        self.columns.iter().zip(weights).map(|(column, w)| w * column[triple]).sum()
    }

    /// The weights (1), 0 where a component is not `allowed`.
    pub fn fitted(&self, allowed: &[bool]) -> Vec<f64> {
        let sizes: Vec<f64> = self.columns.iter().map(|column| root_mean_square(column)).collect();
        let (mut weights, users) = (vec![0.0; self.columns.len()], self.users().max(1) as f64);
        let ridge: Vec<f64> = sizes.iter().map(|size| size * size / users).collect();
        let mut value = self.objective(&weights, &ridge);
        for _ in 0..STEPS {
            let slope = self.slope(&weights, &ridge);
            let is_free =
                |c: usize| allowed[c] && sizes[c] > 0.0 && (weights[c] > 0.0 || slope.gradient[c] < 0.0);
            let (free, step) =
                descent(&slope, &weights, (0..weights.len()).filter(|&c| is_free(c)).collect());
            let Some((next, less)) = self.shortened(&weights, &free, &step, &ridge, value) else { break };
            let moved = next.iter().zip(&weights).zip(&sizes).map(|((a, b), size)| (a - b).abs() * size);
            let moved = moved.fold(0.0, f64::max);
            (weights, value) = (next, less);
            if moved <= TOLERANCE {
                break;
            }
        }
        weights
    }

    /// The weights after the longest of the step, its half and so on that lowers the objective, with its value.
    fn shortened(
        &self,
        weights: &[f64],
        free: &[usize],
        step: &[f64],
        ridge: &[f64],
        value: f64,
    ) -> Option<(Vec<f64>, f64)> {
        let at = |length: f64| {
            let mut next = weights.to_vec();
            free.iter().zip(step).for_each(|(&c, s)| next[c] = (next[c] - length * s).max(0.0));
            let value = self.objective(&next, ridge);
            (next, value)
        };
        (0..HALVINGS).map(|k| at(0.5f64.powi(k as i32))).find(|(_, next)| *next < value)
    }

    fn objective(&self, weights: &[f64], ridge: &[f64]) -> f64 {
        let losses = self.losses(weights);
        let penalty: f64 = weights.iter().zip(ridge).map(|(w, r)| 0.5 * r * w * w).sum();
        losses.iter().sum::<f64>() / losses.len().max(1) as f64 + penalty
    }

    fn slope(&self, weights: &[f64], ridge: &[f64]) -> Slope {
        let (k, users) = (weights.len(), self.users().max(1) as f64);
        let mut gradient: Vec<f64> = weights.iter().zip(ridge).map(|(w, r)| w * r).collect();
        let mut hessian = vec![0.0; k * k];
        (0..k).for_each(|c| hessian[c * k + c] = ridge[c]);
        for range in self.ranges() {
            let share = 1.0 / (users * range.len() as f64);
            for t in range {
                let p = 1.0 / (1.0 + self.margin(weights, t).exp());
                for c in 0..k {
                    let x = self.columns[c][t];
                    gradient[c] -= share * p * x;
                    let by = share * p * (1.0 - p) * x;
                    (0..=c).for_each(|d| hessian[c * k + d] += by * self.columns[d][t]);
                }
            }
        }
        (0..k).for_each(|c| (0..c).for_each(|d| hessian[d * k + c] = hessian[c * k + d]));
        Slope { gradient, hessian }
    }

    /// The stack of `n` modalities and what their contents are worth, each when it was last looked at. Components are the two ids
    /// teachers, the `n` silenced teachers and the `n` contents.
    ///
    /// # Panics
    /// If there are not `2 + 2 n` components.
    pub fn stack(&self, n: usize) -> (Stack, Vec<Gain>) {
        assert_eq!(self.columns.len(), 2 + 2 * n, "two ids teachers, and two components of each modality");
        let content = |m: usize| 2 + n + m;
        let (mut allowed, mut gains) = (vec![true; 2 + 2 * n], vec![Gain::default(); n]);
        let size = |c: usize| root_mean_square(&self.columns[c]);
        (0..n).for_each(|m| allowed[content(m)] = size(content(m)) >= LEAST_CONTENT * size(2 + m));
        loop {
            let weights = self.fitted(&allowed);
            let losses = self.losses(&weights);
            let kept: Vec<usize> = (0..n).filter(|&m| allowed[content(m)]).collect();
            for &m in &kept {
                let mut others = allowed.clone();
                others[content(m)] = false;
                gains[m] = Gain::of(&self.losses(&self.fitted(&others)), &losses);
            }
            let least =
                kept.into_iter().min_by(|&a, &b| gains[a].certainty().total_cmp(&gains[b].certainty()));
            match least {
                Some(m) if gains[m].shrinkage() == 0.0 => allowed[content(m)] = false,
                _ => return (Stack::of(&weights, &gains), gains),
            }
        }
    }
}

impl Stack {
    /// The same sum times a number, which changes no order.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Stack {
        let scaled = |weights: &[f64]| weights.iter().map(|w| w * factor).collect();
        Stack {
            ids: self.ids.map(|w| w * factor),
            silenced: scaled(&self.silenced),
            content: scaled(&self.content),
        }
    }

    fn of(weights: &[f64], gains: &[Gain]) -> Stack {
        let (ids, content) = weights.split_at(2 + gains.len());
        let content = content.iter().zip(gains).map(|(weight, gain)| weight * gain.shrinkage()).collect();
        Stack { ids: [ids[0], ids[1]], silenced: ids[2..].to_vec(), content }
    }
}

impl Gain {
    /// The mean over users of `a - b`: losses without something and with it, or a metric with something and without it.
    pub fn of(a: &[f64], b: &[f64]) -> Gain {
        let mean = a.iter().zip(b).map(|(a, b)| a - b).sum::<f64>() / a.len().max(1) as f64;
        // Of a single user nothing is known.
        Gain { mean, error: paired_error(a, b).unwrap_or(f64::INFINITY) }
    }

    /// How far it can be trusted: [`shrunken`].
    pub fn shrinkage(self) -> f64 {
        shrunken(self.mean, self.error)
    }

    /// The gain in standard errors; 0 where nothing differs.
    fn certainty(self) -> f64 {
        if self.mean <= 0.0 { 0.0 } else { self.mean / self.error }
    }
}

fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len().max(1) as f64).sqrt()
}

/// The components that move, of the `free` ones, and their step. A weight of 0 that the step would make negative stays: cut back
/// to 0 it could leave a step that lowers nothing, and the fit would end short of its minimum.
fn descent(slope: &Slope, weights: &[f64], mut free: Vec<usize>) -> (Vec<usize>, Vec<f64>) {
    loop {
        let step = newton(slope, &free);
        let below = |&k: &usize| weights[free[k]] == 0.0 && step[k] > 0.0;
        match (0..free.len()).filter(below).max_by(|&a, &b| step[a].total_cmp(&step[b])) {
            Some(k) => free.remove(k),
            None => return (free, step),
        };
    }
}

/// `H^-1 g` of the free components, by elimination: `H` is positive definite.
fn newton(slope: &Slope, free: &[usize]) -> Vec<f64> {
    let (k, n) = (slope.gradient.len(), free.len());
    let mut rows: Vec<Vec<f64>> = free
        .iter()
        .map(|&c| free.iter().map(|&d| slope.hessian[c * k + d]).chain([slope.gradient[c]]).collect())
        .collect();
    for p in 0..n {
        let pivot = rows[p].clone();
        for row in &mut rows[p + 1..] {
            let by = row[p] / pivot[p];
            row.iter_mut().zip(&pivot).skip(p).for_each(|(v, pivot)| *v -= by * pivot);
        }
    }
    let mut step = vec![0.0; n];
    for p in (0..n).rev() {
        let known: f64 = (p + 1..n).map(|q| rows[p][q] * step[q]).sum();
        step[p] = (rows[p][n] - known) / rows[p][p];
    }
    step
}
