//! Popularity: everyone gets the items in the order of their train interactions. Nothing is learned; a
//! recommender that does not beat it has learned nothing about its users.
//!
//! # Equations
//! ```text
//! y_hat(u, i) = T_i                                                                                   (1)
//! Y_u = 1    Z_i = T_i        D = 1                                                                   (2)
//! ```
//! `T_i` is the number of train interactions of item `i`. There is no parameter.
//!
//! # Ablation
//! There is nothing to silence: the same tables serve every ablation.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `width` | 64 | read by nothing: tables have one column | 1 to 4096 |

use crate::additive::encode_once;
use crate::entry::{AblationEffect, BackboneSettings};
use crate::parts::Build;
use crate::{Backbone, Encoded, Pass, Request, Tables};
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// Popularity has no setting of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

struct Popularity {
    device: Device,
}

impl BackboneSettings for Config {
    const NAME: &'static str = "popularity";
    const TITLE: &'static str = "Popularity";
    const SOURCE: &'static str = "folklore";
    const SUMMARY: &'static str = "every user gets the most interacted-with items";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Nothing;

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        Box::new(Popularity { device: b.parameters.device().clone() })
    }
}

impl Backbone for Popularity {
    fn forward(&self, pass: &Pass) -> Tables {
        let graph = pass.inputs().graphs.bipartite();
        let count = |&item: &u32| graph.degree(graph.n_users() + item as usize) as f32;
        let counts: Vec<f32> = pass.item_rows().rows().iter().map(count).collect();
        let items = TensorData::new(counts, [pass.item_rows().len(), 1]);
        let users = Tensor::ones([pass.user_rows().len(), 1], &self.device);
        Tables::new(users, Tensor::from_data(items, &self.device))
    }

    fn encode(&self, request: &Request) -> Encoded {
        encode_once(self, request)
    }
}
