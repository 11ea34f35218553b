//! Passes whose losses move one modality's parameters: everything of other modalities is held constant.

use crate::balancer::Needs;
use crate::update::Owner;
use equipoise_models::{Ablation, Encoded, Model, Request};
use equipoise_nn::Values;

/// One pass `only(m)` per modality, in which the parameters of other modalities are constants.
pub struct OwnGroups {
    /// The ablation, and which parameters of the model it moves.
    passes: Vec<(Ablation, Vec<bool>)>,
    /// Whether each pass has leaves of its own on the tape, so that gradients can be told apart.
    apart: bool,
}

impl OwnGroups {
    /// The passes that a balancer needs, for `n` modalities of a model whose `k`-th parameter is that of `owners[k]`. The
    /// model's own ablation is none of them: there nothing is held. `None` if it needs none.
    pub fn needed(needs: &Needs, primary: Ablation, owners: &[Owner], n: usize) -> Option<OwnGroups> {
        let apart = needs.own_gradients;
        let moves = |m| owners.iter().map(|owner| owner.modality().is_none_or(|g| g == m)).collect();
        let pass = |m| (Ablation::only(m, n), moves(m));
        let passes = (0..n).map(pass).filter(|(ablation, _)| *ablation != primary).collect();
        (needs.own_groups || apart).then_some(OwnGroups { passes, apart })
    }

    /// Whether an ablation has a pass of its own here.
    pub fn answers(&self, ablation: Ablation) -> bool {
        self.passes.iter().any(|(a, _)| *a == ablation)
    }

    /// Adds these passes, for the rows of `request` and on its tape, to the answer. Where gradients are apart it returns the
    /// tables that each pass read, in the order of modalities, whose gradients are then no part of those of `request`.
    pub fn encode<'a>(&self, model: &'a Model, request: &Request, encoded: &mut Encoded) -> Vec<Values<'a>> {
        let mut leaves = Vec::new();
        for (ablation, moves) in &self.passes {
            if self.apart {
                let values = model.parameters.values(true).keeping(moves);
                encoded.absorb(pass(model, request, &values, *ablation));
                leaves.push(values);
            } else {
                encoded.absorb(pass(model, request, &request.values.keeping(moves), *ablation));
            }
        }
        leaves
    }
}

/// What the model answers under one ablation with these tables.
fn pass(model: &Model, request: &Request, values: &Values, ablation: Ablation) -> Encoded {
    // Own losses and constant rows belong to the pass of the model itself.
    let ablations = [ablation];
    model.backbone.encode(&Request {
        values,
        ablations: &ablations,
        batch: None,
        constants: false,
        ..*request
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::bpr;
    use equipoise_models::{AblationEffect, BackboneConfig, built_in, suite};
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
            own.encode(model, &request, &mut encoded);
        }
        let margins = encoded.margins(Arc::new(suite::triples(9, 2)));
        let of = |m: usize| bpr(margins.of(Ablation::only(m, N))) * (1.0 + m as f64);
        let whole = full.then(|| bpr(margins.of(Ablation::FULL)));
        let loss = heads.iter().map(|&m| of(m)).chain(whole).reduce(|a, b| a + b).expect("a loss");
        let found = values.gradients(&mut loss.backward());
        found.into_iter().map(|g| g.map(|g| g.into_data().try_into_vec().expect("float32"))).collect()
    }

    fn passes(owners: &[Owner], n: usize) -> OwnGroups {
        let needs = Needs { own_groups: true, ..Needs::default() };
        OwnGroups::needed(&needs, Ablation::FULL, owners, n).expect("they are needed")
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
            let groups = Owner::of(&model.parameters, &model.inputs);
            let own = passes(&groups, N);
            let found = gradients(&model, Some(&own), &[0, 1, 2], true);
            let whole = gradients(&model, None, &[], true);
            let all = gradients(&model, None, &[0, 1, 2], false);
            let alone: Vec<_> = (0..N).map(|m| gradients(&model, None, &[m], false)).collect();
            for (k, (name, _, [rows, columns])) in model.parameters.iter().enumerate() {
                let zeros = || vec![0.0; rows * columns];
                let head =
                    groups[k].modality().map_or(&all[k], |m| &alone[m][k]).clone().unwrap_or_else(zeros);
                let sum =
                    whole[k].clone().unwrap_or_else(zeros).iter().zip(head).map(|(a, b)| a + b).collect();
                let what = format!("{} {name}", entry.name);
                close(&what, &Some(found[k].clone().unwrap_or_else(zeros)), &Some(sum));
                let others = groups[k].modality().is_some_and(|m| {
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
        let own = passes(&[Owner::Shared, Owner::Modality(0)], 1);
        assert!(!own.answers(Ablation::FULL) && !own.answers(Ablation::ids_only(1)));
    }
}
