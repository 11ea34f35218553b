//! The trait that every backbone implements.

use crate::{Block, Encoded, Pass, Request, Tables, View};

/// What a backbone's parameters are trained with, besides the penalty and the balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// Bayesian personalised ranking, `mean softplus(-Delta)`, and the backbone's own losses if it has any.
    Bpr,
    /// The backbone's own losses alone.
    Own,
}

/// A multimodal recommender whose score is `<Y_u, Z_i>`.
///
/// Only [`forward`](Backbone::forward) must be written: a backbone that has nothing else is correct at once
/// under every balancer. [`encode`](Backbone::encode) is there to share work between ablations; whatever it
/// does must equal the default, outputs and gradients ([`suite`](crate::suite) checks it).
pub trait Backbone: Send + Sync {
    /// One plain pass: the tables of the requested users and items under the pass's ablation, with the
    /// backbone's own loss when [`Pass::batch`] is there and it has one.
    fn forward(&self, pass: &Pass) -> Tables;

    /// All ablations of one step. The default makes one plain pass for each.
    fn encode(&self, request: &Request) -> Encoded {
        encode_naively(self, request)
    }

    /// What it is trained with.
    fn objective(&self) -> Objective {
        Objective::Bpr
    }
}

/// One plain pass for each ablation: the meaning of [`Backbone::encode`], against which a shared path is tested.
pub fn encode_naively<B: Backbone + ?Sized>(backbone: &B, request: &Request) -> Encoded {
    let mut encoded = Encoded::default();
    for &ablation in request.ablations {
        let Tables { users, items, extra } = backbone.forward(&request.pass(ablation));
        encoded.views.push(View { ablation, blocks: vec![encoded.blocks.len()] });
        encoded.blocks.push(Block::varying(users, items));
        encoded.extra = encoded.extra.or(extra);
    }
    encoded
}
