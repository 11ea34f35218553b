//! Passes whose losses move one modality's parameters: everything of other modalities is held constant.

use equipoise_models::{Ablation, Backbone, Encoded, Request};

/// One pass `only(m)` per modality, in which the parameters of other modalities are constants.
pub(crate) struct OwnGroups {
    /// The ablation, and which parameters of the model it moves.
    passes: Vec<(Ablation, Vec<bool>)>,
}

impl OwnGroups {
    /// Passes for `n` modalities of a model whose `k`-th parameter is in `groups[k]` (`None`: shared). The
    /// model's own ablation is none of them: there nothing is held.
    pub(crate) fn new(primary: Ablation, groups: &[Option<usize>], n: usize) -> OwnGroups {
        let moves = |m| groups.iter().map(|group| group.is_none_or(|g| g == m)).collect();
        let pass = |m| (Ablation::only(m, n), moves(m));
        OwnGroups { passes: (0..n).map(pass).filter(|(ablation, _)| *ablation != primary).collect() }
    }

    /// Whether an ablation has a pass of its own here.
    pub(crate) fn answers(&self, ablation: Ablation) -> bool {
        self.passes.iter().any(|(a, _)| *a == ablation)
    }

    /// Adds these passes, for the rows of `request` and on its tape, to the answer.
    pub(crate) fn encode(&self, backbone: &dyn Backbone, request: &Request, encoded: &mut Encoded) {
        for (ablation, moves) in &self.passes {
            let (values, ablations) = (request.values.keeping(moves), [*ablation]);
            // Own losses and constant rows belong to the pass of the model itself.
            let own =
                Request { values: &values, ablations: &ablations, batch: None, constants: false, ..*request };
            encoded.absorb(backbone.encode(&own));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_balance::losses::bpr;
    use equipoise_models::{AblationEffect, BackboneConfig, Model, built_in, suite};
    use std::sync::Arc;

    const N: usize = 3;

    /// Gradients of `sum_m (1 + m) mean sp(-Ds^m) + mean sp(-Ds)`, the weights of `heads` only, by parameter; in
    /// passes of their own or in one.
    fn gradients(
        model: &Model,
        own: Option<&OwnGroups>,
        heads: &[usize],
        full: bool,
    ) -> Vec<Option<Vec<f32>>> {
        let values = model.parameters.values(true);
        let mut ablations = vec![Ablation::FULL];
        if own.is_none() {
            ablations.extend((0..N).map(|m| Ablation::only(m, N)));
        }
        let request = Request::inference(&values, &model.inputs, &ablations);
        let mut encoded = model.backbone.encode(&request);
        if let Some(own) = own {
            own.encode(model.backbone.as_ref(), &request, &mut encoded);
        }
        let margins = encoded.margins(Arc::new(suite::triples(9, 2)));
        let of = |m: usize| bpr(margins.of(Ablation::only(m, N))) * (1.0 + m as f64);
        let whole = full.then(|| bpr(margins.of(Ablation::FULL)));
        let loss = heads.iter().map(|&m| of(m)).chain(whole).reduce(|a, b| a + b).expect("a loss");
        let found = values.gradients(&mut loss.backward());
        found.into_iter().map(|g| g.map(|g| g.into_data().try_into_vec().expect("float32"))).collect()
    }

    fn groups(model: &Model) -> Vec<Option<usize>> {
        let names = model.inputs.names();
        let of = |group: &equipoise_nn::Group| match group {
            equipoise_nn::Group::Shared => None,
            equipoise_nn::Group::Modality(name) => names.iter().position(|n| n == name),
        };
        model.parameters.iter().map(|(_, group, _)| of(group)).collect()
    }

    fn close(what: &str, a: &Option<Vec<f32>>, b: &Option<Vec<f32>>) {
        let zero = |g: &Option<Vec<f32>>| g.as_ref().is_none_or(|g| g.iter().all(|v| *v == 0.0));
        let (Some(a), Some(b)) = (a, b) else {
            assert!(zero(a) && zero(b), "{what}: one has a gradient and the other none");
            return;
        };
        a.iter().zip(b).for_each(|(a, b)| assert!((a - b).abs() < 2e-5 * (1.0 + b.abs()), "{what}: {a} {b}"));
    }

    /// A head's loss has its full slope in its own group and the shared one, and none elsewhere; the whole model's
    /// loss keeps its slope everywhere.
    #[test]
    fn a_head_moves_its_own_group_and_the_shared_one() {
        let mut elsewhere = 0;
        for entry in built_in().iter().filter(|b| b.ablation_effect.shows()) {
            let config = BackboneConfig { width: 4, ..BackboneConfig::named(entry.name) };
            let model = suite::model(&config, &suite::dataset(N, 3), 3);
            if model.parameters.is_empty() {
                continue;
            }
            let groups = groups(&model);
            let own = OwnGroups::new(Ablation::FULL, &groups, N);
            let found = gradients(&model, Some(&own), &[0, 1, 2], true);
            let whole = gradients(&model, None, &[], true);
            let all = gradients(&model, None, &[0, 1, 2], false);
            let alone: Vec<_> = (0..N).map(|m| gradients(&model, None, &[m], false)).collect();
            for (k, (name, _, [rows, columns])) in model.parameters.iter().enumerate() {
                let zeros = || vec![0.0; rows * columns];
                let head = groups[k].map_or(&all[k], |m| &alone[m][k]).clone().unwrap_or_else(zeros);
                let sum =
                    whole[k].clone().unwrap_or_else(zeros).iter().zip(head).map(|(a, b)| a + b).collect();
                let what = format!("{} {name}", entry.name);
                close(&what, &Some(found[k].clone().unwrap_or_else(zeros)), &Some(sum));
                let others = groups[k].is_some_and(|m| {
                    (0..N).any(|h| h != m && alone[h][k].iter().flatten().any(|v| v.abs() > 1e-6))
                });
                assert!(
                    !others || entry.ablation_effect != AblationEffect::Additive,
                    "{what}: additive heads are apart"
                );
                elsewhere += usize::from(others);
            }
        }
        assert!(elsewhere > 5, "somewhere a head would have moved another group: {elsewhere}");
    }

    #[test]
    fn one_modality_has_no_pass_of_its_own() {
        let own = OwnGroups::new(Ablation::FULL, &[None, Some(0)], 1);
        assert!(!own.answers(Ablation::FULL) && !own.answers(Ablation::ids_only(1)));
    }
}
