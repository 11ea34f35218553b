//! Losses of a model's heads (each channel, and the whole), on triples fixed once for all that are compared.

use crate::config::{Checked, RunConfig};
use crate::step::Stepper;
use crate::stopping::StopFlag;
use equipoise_balance::none::NoBalance;
use equipoise_balance::{Heads, Losses, losses};
use equipoise_data::{Dataset, Seed, Triples, paired_triples};
use equipoise_models::{Ablation, Model};
use std::cell::OnceCell;
use std::sync::Arc;

/// Most pairs of each split that losses are measured on.
pub const MOST_PAIRS: usize = 10_000;

/// Fixed triples: as many of train pairs as of validation pairs. A negative of a train pair is no train item of
/// its user; one of a validation pair is no validation item either. Test data plays no part.
pub struct HeadProbe {
    train: Triples,
    validation: Triples,
}

impl HeadProbe {
    /// Triples of this data from streams of the seed's own: `losses/train`, `losses/validation`.
    pub fn new(data: &Dataset, seed: Seed) -> HeadProbe {
        let (train, validation) = (&data.train, &data.validation);
        let count = train.len().min(validation.len()).min(MOST_PAIRS);
        let mut probe = HeadProbe {
            train: paired_triples(train, &[train], count, &mut seed.stream("losses/train")),
            validation: paired_triples(
                validation,
                &[train, validation],
                count,
                &mut seed.stream("losses/validation"),
            ),
        };
        let same = probe.train.len().min(probe.validation.len());
        for triples in [&mut probe.train, &mut probe.validation] {
            let Triples { users, positives, negatives } = triples;
            [users, positives, negatives].into_iter().for_each(|column| column.truncate(same));
        }
        probe
    }

    /// BPR losses of the model under each ablation, in inference mode.
    pub fn losses(&self, model: &Model, ablations: &[Ablation]) -> Vec<Losses> {
        let encoded = model.encode_all(ablations);
        let mean = |triples: &Triples, ablation| {
            losses::mean_bpr(&encoded.margins(Arc::new(triples.clone())).values(ablation))
        };
        let of = |&a| Losses { train: mean(&self.train, a), validation: mean(&self.validation, a) };
        ablations.iter().map(of).collect()
    }
}

/// The heads of `n` modalities: each channel, then the whole model.
fn heads(n: usize) -> Vec<Ablation> {
    (0..n).map(|m| Ablation::only(m, n)).chain([Ablation::FULL]).collect()
}

/// Measures the heads of a model in training.
pub(crate) struct Meter<'a> {
    pub(crate) model: &'a Model,
    pub(crate) data: &'a Dataset,
    pub(crate) config: &'a Checked<RunConfig>,
    /// Made when first asked for, the same for a whole run.
    pub(crate) probe: &'a OnceCell<HeadProbe>,
    pub(crate) epoch: usize,
    pub(crate) stop: &'a StopFlag,
}

impl Meter<'_> {
    fn probe(&self) -> &HeadProbe {
        self.probe.get_or_init(|| HeadProbe::new(self.data, Seed(self.config.seed)))
    }

    /// A copy of the model after `epochs` epochs under one ablation; a copy whose loss is no number any more
    /// stays as it was before that step.
    fn trained(&self, head: Ablation, name: &str, epochs: usize) -> Model {
        const SAME: &str = "the model in training was made of the same";
        let (seed, model) = (Seed(self.config.seed).part(name), self.model);
        let device = model.parameters.device();
        let mut copy = Model::on(&self.config.backbone, model.inputs.clone(), seed, device).expect(SAME);
        copy.parameters.restore(&model.parameters.snapshot());
        let train = &self.data.train;
        let stepper = Stepper::new(copy, head, Box::new(NoBalance), train, self.config, seed);
        let mut stepper = stepper.expect(SAME);
        for _ in 0..epochs * stepper.steps_per_epoch() {
            if self.stop.is_raised() || !stepper.step(train).loss.is_finite() {
                break;
            }
        }
        stepper.model
    }
}

impl Heads for Meter<'_> {
    fn now(&mut self) -> Vec<Losses> {
        self.probe().losses(self.model, &heads(self.model.inputs.n_modalities()))
    }

    fn alone(&mut self, epochs: usize) -> Vec<Losses> {
        let heads = heads(self.model.inputs.n_modalities());
        let of = |(k, &head): (usize, &Ablation)| {
            let trained = self.trained(head, &format!("head {k} of epoch {}", self.epoch), epochs);
            self.probe().losses(&trained, &[head])[0]
        };
        heads.iter().enumerate().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_data::{LoadOptions, load};
    use equipoise_import::synthetic::{DemoConfig, write_demo};

    #[test]
    fn both_splits_give_as_many_triples_with_negatives_that_are_in_neither() {
        let dir = tempfile::tempdir().unwrap();
        write_demo(dir.path(), &DemoConfig { users: 60, items: 40, seed: 3 }).unwrap();
        let data = load(dir.path(), &LoadOptions::default()).unwrap().data;
        let probe = HeadProbe::new(&data, Seed(1));
        assert!(probe.train.len() == probe.validation.len() && probe.train.len() > 20);
        for n in 0..probe.train.len() {
            let (t, v) = (&probe.train, &probe.validation);
            assert!(data.train.contains(t.users[n], t.positives[n]));
            assert!(!data.train.contains(t.users[n], t.negatives[n]));
            assert!(data.validation.contains(v.users[n], v.positives[n]));
            assert!(!data.train.contains(v.users[n], v.negatives[n]));
            assert!(!data.validation.contains(v.users[n], v.negatives[n]));
        }
        assert_eq!(HeadProbe::new(&data, Seed(1)).train, probe.train);
    }
}
