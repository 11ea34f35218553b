//! What robust weights start from: where teaching can help, measured once on validation.
//!
//! ```text
//! under-use   v_k = M(teacher k) - M(channel k of the plain model)
//! complement  w_m = M(ids teacher + teacher m) - M(ids teacher + second ids teacher)
//! gates       G_0 = S(v_0),  G_m = S(v_m) S(w_m),  S(x) = 1 - (2 se(x) / x)^2 where that and x are positive, else 0
//! ```
//! `M` is the metric that selects models, averaged over the users of one half of validation; differences are paired over users. Scores
//! are added after each was divided by its spread over the items of a user. A second model of ids is what any second model adds:
//! a modality is taught only if its teacher adds more than that.

use crate::error::TrainError;
use crate::evaluation::Selection;
use crate::events::GateRecord;
use crate::stopping::StopFlag;
use equipoise_balance::Teacher;
use equipoise_balance::robust::{Gate, shrunken};
use equipoise_data::Interactions;
use equipoise_eval::{Embeddings, EvalError, evaluate_until};
use equipoise_models::{Ablation, Model};

/// Most users of whom the spread of scores is taken.
const SPREAD_USERS: usize = 2_000;

/// Final tables under one ablation.
pub(crate) struct Scores {
    users: Vec<f32>,
    items: Vec<f32>,
    width: usize,
}

/// The final tables that gates are measured from.
pub(crate) struct Channels {
    /// Of the ids teacher.
    pub(crate) ids: Scores,
    /// Of the second ids teacher.
    pub(crate) second: Scores,
    /// Of the teacher of each modality.
    pub(crate) modalities: Vec<Scores>,
    /// Of the plain model: its ids, then the channel of each modality.
    pub(crate) plain: Vec<Scores>,
}

/// On what gates are measured.
pub(crate) struct Ground<'a> {
    pub(crate) train: &'a Interactions,
    pub(crate) held_out: &'a Interactions,
    pub(crate) selection: &'a Selection,
    pub(crate) stop: &'a StopFlag,
}

impl Scores {
    /// Those of a model under an ablation.
    pub(crate) fn of(model: &Model, ablations: &[Ablation]) -> Vec<Scores> {
        let encoded = model.encode_all(ablations);
        let of = |&ablation: &Ablation| {
            let (users, items, width) = encoded.tables(ablation);
            Scores { users, items, width }
        };
        ablations.iter().map(of).collect()
    }

    /// Those of a teacher, whose tables are there already.
    pub(crate) fn of_teacher(teacher: &Teacher) -> Scores {
        let (users, items) = teacher.tables();
        Scores { users: users.to_vec(), items: items.to_vec(), width: teacher.width() }
    }

    /// The sum of two, each divided by its spread: one table behind the other.
    fn beside(&self, other: &Scores) -> Scores {
        let (a, b) = (self.spread(), other.spread());
        let users = joined((&self.users, self.width, 1.0 / a), (&other.users, other.width, 1.0 / b));
        let items = joined((&self.items, self.width, 1.0), (&other.items, other.width, 1.0));
        Scores { users, items, width: self.width + other.width }
    }

    /// The standard deviation of a user's scores over all items, in the quadratic mean over users; 1 if all scores are alike.
    fn spread(&self) -> f64 {
        let covariance = covariance(&self.items, self.width);
        let count = self.users.len() / self.width;
        let stride = count.div_ceil(SPREAD_USERS).max(1);
        let rows = self.users.chunks_exact(self.width).step_by(stride);
        let taken = rows.len().max(1);
        let variance = rows.map(|row| quadratic(&covariance, row)).sum::<f64>() / taken as f64;
        if variance > 0.0 { variance.sqrt() } else { 1.0 }
    }
}

fn joined((a, width, scale): (&[f32], usize, f64), (b, other, by): (&[f32], usize, f64)) -> Vec<f32> {
    let rows = a.chunks_exact(width).zip(b.chunks_exact(other));
    let scaled = |v: &f32, by: f64| (f64::from(*v) * by) as f32;
    rows.flat_map(|(a, b)| {
        a.iter().map(|v| scaled(v, scale)).chain(b.iter().map(|v| scaled(v, by))).collect::<Vec<_>>()
    })
    .collect()
}

/// The covariance of the columns of a table, row-major.
fn covariance(table: &[f32], width: usize) -> Vec<f64> {
    let count = (table.len() / width).max(1) as f64;
    let mut mean = vec![0.0; width];
    for row in table.chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(mean, &v)| *mean += f64::from(v) / count);
    }
    let mut covariance = vec![0.0; width * width];
    for row in table.chunks_exact(width) {
        let centred: Vec<f64> = row.iter().zip(&mean).map(|(&v, mean)| f64::from(v) - mean).collect();
        for (line, &a) in covariance.chunks_exact_mut(width).zip(&centred) {
            line.iter_mut().zip(&centred).for_each(|(sum, &b)| *sum += a * b / count);
        }
    }
    covariance
}

fn quadratic(matrix: &[f64], row: &[f32]) -> f64 {
    let product = |line: &[f64]| line.iter().zip(row).map(|(&c, &v)| c * f64::from(v)).sum::<f64>();
    matrix.chunks_exact(row.len()).zip(row).map(|(line, &v)| f64::from(v) * product(line)).sum()
}

impl Ground<'_> {
    /// The metric of each user.
    fn per_user(&self, scores: &Scores) -> Result<Vec<f64>, TrainError> {
        let tables = Embeddings::new(&scores.users, &scores.items, scores.width)?;
        let config = self.selection.config();
        let evaluation = evaluate_until(&tables, self.held_out, &[self.train], config, Some(self.stop))?;
        Ok(evaluation.per_user.column(self.selection.name())?.to_vec())
    }

    /// The gate of the ids, then those of the modalities, with what they follow from.
    ///
    /// # Errors
    /// If a score is not finite; [`EvalError::Stopped`].
    pub(crate) fn gates(&self, channels: &Channels) -> Result<Vec<(Gate, GateRecord)>, TrainError> {
        let teachers = [&channels.ids].into_iter().chain(&channels.modalities);
        let control = self.per_user(&channels.ids.beside(&channels.second))?;
        let mut gates = Vec::new();
        for (k, (teacher, plain)) in teachers.zip(&channels.plain).enumerate() {
            let (goal, now) = (self.per_user(teacher)?, self.per_user(plain)?);
            let under_use = Difference::of(&goal, &now);
            let complement = match k {
                0 => None,
                _ => Some(Difference::of(&self.per_user(&channels.ids.beside(teacher))?, &control)),
            };
            let gate = under_use.shrunken() * complement.map_or(1.0, Difference::shrunken);
            let record = GateRecord {
                gate,
                under_use: under_use.mean,
                under_use_error: under_use.error,
                complement: complement.map(|d| d.mean),
                complement_error: complement.map(|d| d.error),
            };
            gates.push((Gate { gate, goal: mean(&goal) }, record));
        }
        Ok(gates)
    }
}

/// A mean over users of paired differences, with its standard error.
#[derive(Clone, Copy)]
struct Difference {
    mean: f64,
    error: f64,
}

impl Difference {
    fn of(a: &[f64], b: &[f64]) -> Difference {
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        let (mean, count) = (mean(&differences), differences.len());
        let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
        // Of a single user nothing is known.
        let error =
            if count < 2 { f64::INFINITY } else { (squares / (count - 1) as f64 / count as f64).sqrt() };
        Difference { mean, error }
    }

    fn shrunken(self) -> f64 {
        shrunken(self.mean, self.error)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// What ended a measurement, where that is a raised flag.
pub(crate) fn is_stopped(error: &TrainError) -> bool {
    matches!(error, TrainError::Eval(EvalError::Stopped))
}
