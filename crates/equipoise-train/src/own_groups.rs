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
