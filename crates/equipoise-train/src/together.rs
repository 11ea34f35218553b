//! What the teachers know together, measured once on one half of the users of validation before a model with robust weights is
//! trained: see [`robust`](equipoise_balance::robust) and [`stacking`](equipoise_balance::stacking).

use crate::error::TrainError;
use crate::evaluation::Selection;
use crate::events::{ContentRecord, StackRecord};
use crate::role::Role;
use crate::stopping::StopFlag;
use equipoise_balance::Teacher;
use equipoise_balance::robust::{ChannelSetup, TeacherMargins};
use equipoise_balance::stacking::{Gain, HeldOut, Stack};
use equipoise_data::{Interactions, Seed, Stream, Triples};
use equipoise_eval::{Embeddings, EvalError, evaluate_until};

/// Items that each held-out interaction is compared with.
const NEGATIVES: usize = 20;
/// Draws of an item before a user counts as having chosen all of them.
const DRAWS: usize = 100;

/// The teachers of a run.
pub(crate) struct Teachers<'a> {
    /// Two of the ids.
    pub(crate) ids: [Teacher; 2],
    /// Each modality's with the modality silenced.
    pub(crate) silenced: Vec<Teacher>,
    /// Each modality's.
    pub(crate) modalities: &'a [Teacher],
}

/// What they know together.
struct Together {
    stack: Stack,
    /// Of the contents.
    gains: Vec<Gain>,
    /// Of the sum beside the plain model.
    worth: Gain,
}

/// On what they are measured.
pub(crate) struct Ground<'a> {
    pub(crate) train: &'a Interactions,
    pub(crate) held_out: &'a Interactions,
    pub(crate) selection: &'a Selection,
    pub(crate) seed: Seed,
    pub(crate) stop: &'a StopFlag,
}

impl Ground<'_> {
    /// What a balancer with these teachers starts from, beside those of the modalities, given the plain model's tables.
    ///
    /// # Errors
    /// If a score is not finite; [`EvalError::Stopped`].
    pub(crate) fn setup(
        &self,
        teachers: Teachers,
        plain: &Teacher,
    ) -> Result<(ChannelSetup, StackRecord), TrainError> {
        let Together { stack, gains, worth } = self.stack(&teachers, plain);
        let alone = self.per_user(plain)?;
        // Without any weight there is nothing to be known.
        let together =
            teachers.together(&stack).map_or_else(|| Ok(vec![0.0; alone.len()]), |t| self.per_user(&t))?;
        let better = Gain::of(&together, &alone);
        let sure = better.shrinkage().max(worth.shrinkage());
        let gate = if better.mean > 0.0 { sure } else { 0.0 };
        let record = StackRecord {
            gate,
            teachers: mean(&together),
            plain: mean(&alone),
            error: better.error,
            gain: worth.mean,
            gain_error: worth.error,
            ids: stack.ids,
            modalities: records(&teachers, &stack, &gains),
        };
        let Teachers { ids, silenced, .. } = teachers;
        Ok((ChannelSetup { ids, silenced, stack, gate }, record))
    }

    /// The weights of the teachers' sum, as spread as the plain model's margins are, and what it is worth beside that model.
    fn stack(&self, teachers: &Teachers, plain: &Teacher) -> Together {
        let triples = self.triples();
        let of = |teacher: &Teacher| teacher.margins(&triples);
        let margins = TeacherMargins {
            ids: teachers.ids.each_ref().map(of),
            silenced: teachers.silenced.iter().map(of).collect(),
            own: teachers.modalities.iter().map(of).collect(),
        };
        let wide = |column: &Vec<f32>| column.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let of_ids = margins.ids.iter().chain(&margins.silenced).map(wide);
        let n = margins.own.len();
        let contents = (0..n).map(|m| margins.content(m).collect());
        let held_out = HeldOut::new(of_ids.chain(contents).collect(), &triples.users);
        let (stack, gains) = held_out.stack(n);
        let of_plain = of(plain);
        let worth = held_out.gain_over(&wide(&of_plain), &stack);
        let [_, whole] = margins.targets(&stack);
        let (spread, wanted) = (root_mean_square(&whole), root_mean_square(&of_plain));
        // Of a sum without weights nothing can be made.
        let factor = if spread > 0.0 { wanted / spread } else { 1.0 };
        Together { stack: stack.scaled(factor), gains, worth }
    }

    /// Each held-out interaction against items that the user chose neither in train nor here, from the seed's stream `stack`.
    fn triples(&self) -> Triples {
        let (mut triples, mut stream) = (Triples::default(), self.seed.stream("stack"));
        for (user, item) in self.held_out.pairs() {
            for _ in 0..NEGATIVES {
                if let Some(other) = self.not_chosen(user, &mut stream) {
                    triples.users.push(user);
                    triples.positives.push(item);
                    triples.negatives.push(other);
                }
            }
        }
        triples
    }

    fn not_chosen(&self, user: u32, stream: &mut Stream) -> Option<u32> {
        let chosen = |item: &u32| self.train.contains(user, *item) || self.held_out.contains(user, *item);
        let items = self.train.n_items() as u32;
        (0..DRAWS).map(|_| stream.below(items)).find(|item| !chosen(item))
    }

    /// The metric of each user.
    fn per_user(&self, scores: &Teacher) -> Result<Vec<f64>, TrainError> {
        let (users, items) = scores.tables();
        let tables = Embeddings::new(users, items, scores.width())?;
        let config = self.selection.config();
        let evaluation = evaluate_until(&tables, self.held_out, &[self.train], config, Some(self.stop))?;
        Ok(evaluation.per_user.column(self.selection.name())?.to_vec())
    }
}

impl Teachers<'_> {
    /// Tables whose scores are the weighted sum: one behind the other, without those of no weight. `None` if all are of none.
    fn together(&self, stack: &Stack) -> Option<Teacher> {
        let of_ids = self.ids.iter().zip(stack.ids);
        let contents = stack.silenced.iter().zip(&stack.content);
        // A content is what a teacher scores less what it scores with its modality silenced.
        let silenced = self.silenced.iter().zip(contents.map(|(ids, content)| ids - content));
        let own = self.modalities.iter().zip(stack.content.iter().copied());
        let parts: Vec<(&Teacher, f64)> =
            of_ids.chain(silenced).chain(own).filter(|(_, weight)| *weight != 0.0).collect();
        let users = joined(&parts, |teacher| teacher.tables().0, true);
        let items = joined(&parts, |teacher| teacher.tables().1, false);
        let width = parts.iter().map(|(teacher, _)| teacher.width()).sum();
        (!parts.is_empty()).then(|| Teacher::new("all", users, items, width))
    }
}

fn root_mean_square(values: &[f32]) -> f64 {
    (values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / values.len().max(1) as f64).sqrt()
}

fn joined(parts: &[(&Teacher, f64)], table: impl Fn(&Teacher) -> &[f32], weighted: bool) -> Vec<f32> {
    let rows = parts.first().map_or(0, |(teacher, _)| table(teacher).len() / teacher.width());
    let mut out = Vec::new();
    for row in 0..rows {
        for (teacher, weight) in parts {
            let by = if weighted { *weight } else { 1.0 };
            let values = table(teacher)[row * teacher.width()..].iter().take(teacher.width());
            out.extend(values.map(|&v| (f64::from(v) * by) as f32));
        }
    }
    out
}

fn records(teachers: &Teachers, stack: &Stack, gains: &[Gain]) -> Vec<ContentRecord> {
    let of = |(m, teacher): (usize, &Teacher)| ContentRecord {
        modality: teacher.modality.clone(),
        ids: stack.silenced[m],
        content: stack.content[m],
        gain: gains[m].mean,
        gain_error: gains[m].error,
    };
    teachers.modalities.iter().enumerate().map(of).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// An error as that of a training of this role: a measurement that was given up is an interruption.
pub(crate) fn interrupted(error: TrainError, role: Role) -> TrainError {
    if matches!(error, TrainError::Eval(EvalError::Stopped)) { TrainError::Interrupted(role) } else { error }
}
