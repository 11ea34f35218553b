//! Item-content kNN: an item is recommended for its likeness to what the user consumed (after Deshpande & Karypis,
//! TOIS 2004, with likeness of content in place of co-occurrence, and every train item of the user as a
//! neighbour). Nothing is learned: it shows what the features say by themselves.
//!
//! # Equations
//! ```text
//! Z_i^m = e_i^m / max(||e_i^m||, 1e-12)                                        I x d_m                (1)
//! Y_u^m = (1/|N(u)|) sum_{j in N(u)} Z_j^m,  0 where N(u) is empty             U x d_m                (2)
//! Y_u = [ Y_u^1 ; ... ; Y_u^n ]    Z_i = [ Z_i^1 ; ... ; Z_i^n ]               D = sum_m d_m          (3)
//! y_hat(u, i) = mean over j in N(u) of sum_m cos(e_i^m, e_j^m)                                        (4)
//! ```
//! `N(u)` are the train items of `u`. An all-zero feature row is like nothing: its cosines are 0. There is no
//! parameter.
//!
//! # Ablation
//! A silenced modality has its mean row for every item, so its block of `Z` is constant over items and cancels in
//! every margin: blocks of a modality are real or left out, and no pass beyond the plain one is needed. (Its block
//! of `Y` is not constant: users without items keep their zero row. A penalty on final rows sees that.)
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `width` | 64 | read by nothing: tables are as wide as the features | 1 to 4096 |

use crate::additive::encode_additively;
use crate::entry::{AblationEffect, BackboneSettings};
use crate::parts::Build;
use crate::{Ablation, Backbone, Block, Encoded, Pass, Request, Tables};
use burn::tensor::{Device, Tensor, TensorData};
use equipoise_data::graph::Normalisation;
use equipoise_nn::{normalise_rows, propagate};
use serde::{Deserialize, Serialize};

/// ItemKNN has no setting of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

struct ItemKnn {
    device: Device,
}

impl BackboneSettings for Config {
    const NAME: &'static str = "itemknn";
    const TITLE: &'static str = "ItemKNN (content)";
    const SOURCE: &'static str = "after Deshpande & Karypis, TOIS 2004";
    const SUMMARY: &'static str = "mean cosine of content to the user's items, nothing learned";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Additive;

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        Box::new(ItemKnn { device: b.parameters.device().clone() })
    }
}

impl ItemKnn {
    /// `e_i^m` of every item; the mean in every row when silenced.
    fn features(&self, pass: &Pass, m: usize) -> Tensor<2> {
        let modality = &pass.inputs().modalities[m];
        let silenced = pass.ablation().silences(m);
        let source = if silenced { &modality.mean } else { &modality.features };
        let shape = [source.rows(), source.width()];
        let rows = Tensor::from_data(TensorData::new(source.values().to_vec(), shape), &self.device);
        if silenced { rows.expand([pass.inputs().n_items, shape[1]]) } else { rows }
    }

    /// `(Y^m, Z^m)` of the rows requested.
    fn block(&self, pass: &Pass, m: usize) -> Tables {
        let items = normalise_rows(self.features(pass, m));
        let means = pass.inputs().graphs.items_to_users(Normalisation::Rw);
        pass.select(propagate(&means, items.clone()), items)
    }
}

impl Backbone for ItemKnn {
    fn forward(&self, pass: &Pass) -> Tables {
        let blocks = (0..pass.inputs().n_modalities()).map(|m| self.block(pass, m));
        let (users, items) = blocks.map(|b| (b.users, b.items)).unzip();
        Tables::new(Tensor::cat(users, 1), Tensor::cat(items, 1))
    }

    fn encode(&self, request: &Request) -> Encoded {
        let block = |ablation, m| {
            let Tables { users, items, .. } = self.block(&request.pass(ablation), m);
            Block::varying(users, items)
        };
        // There are no ids: a column of zeros stands in their place, so that a view always has a block.
        let zeros = |rows| Tensor::zeros([rows, 1], &self.device);
        let ids = Block::varying(zeros(request.users.len()), zeros(request.items.len()));
        let silenced = |m| request.constants.then(|| block(Ablation::without(m), m));
        encode_additively(request, ids, |m| block(Ablation::FULL, m), silenced)
    }
}
