//! BPR-MF: matrix factorisation for personalised ranking (Rendle, Freudenthaler, Gantner & Schmidt-Thieme, UAI
//! 2009). It reads no content: what a multimodal recommender must beat to owe anything to its modalities.
//!
//! # Equations
//! ```text
//! y_hat(u, i) = <x_u, x_i> + b_i                                                                       (1)
//! Y_u = [ x_u ; 1 ]    Z_i = [ x_i ; b_i ]        D = d + 1;    without bias Y_u = x_u, Z_i = x_i, D = d    (2)
//! ```
//! The penalty on final rows counts the constant 1 of `Y_u` as well: it moves no parameter.
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `x_u`, `x_i` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier uniform |
//! | `b_i` | `item.bias` (with `bias` only) | `I x 1` | 0 |
//!
//! # Ablation
//! There is nothing to silence: the plain tables serve every ablation.
//!
//! # Variants
//! The published factorisation has no bias; many implementations add one per item, which learns popularity apart
//! from taste.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `bias` | false | whether items have a bias | true, false |
//! | `width` | 64 | width `d` of the factors | 1 to 4096 |

use crate::additive::encode_once;
use crate::entry::{AblationEffect, BackboneSettings};
use crate::parts::Build;
use crate::{Backbone, Encoded, Pass, Request, Tables};
use burn::tensor::Tensor;
use equipoise_nn::{Group, init};
use serde::{Deserialize, Serialize};

/// Settings of BPR-MF.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether items have a bias.
    pub bias: bool,
}

struct BprMf {
    bias: bool,
}

impl BackboneSettings for Config {
    const NAME: &'static str = "bprmf";
    const TITLE: &'static str = "BPR-MF";
    const SOURCE: &'static str = "Rendle, Freudenthaler, Gantner & Schmidt-Thieme, UAI 2009";
    const SUMMARY: &'static str = "matrix factorisation of the interactions alone";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Nothing;

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        let bias = self.bias;
        b.ids(init::xavier_uniform);
        if bias {
            b.table("item.bias", Group::Shared, [b.inputs.n_items, 1], |rows, columns, _| {
                vec![0.0; rows * columns]
            });
        }
        Box::new(BprMf { bias })
    }
}

impl Backbone for BprMf {
    fn forward(&self, pass: &Pass) -> Tables {
        let (users, items) = (pass.users("user.id"), pass.items("item.id"));
        if !self.bias {
            return Tables::new(users, items);
        }
        let ones = Tensor::ones([users.dims()[0], 1], &users.device());
        Tables::new(Tensor::cat(vec![users, ones], 1), Tensor::cat(vec![items, pass.items("item.bias")], 1))
    }

    fn encode(&self, request: &Request) -> Encoded {
        encode_once(self, request)
    }
}
