//! Encoded tables as blocks: `y_hat_S(u, i) = sum over the blocks b of view S of <y_u^b, z_i^b>`.
//!
//! A concatenation scores like the sum of its blocks, and under ablation most blocks stay as they are. Keeping
//! blocks apart lets several ablations share them, and their margins are computed once per block.

use crate::Ablation;
use burn::tensor::Tensor;
use equipoise_nn::{TripleIndex, margins, weighted_square_sum};
use std::cell::RefCell;
use std::sync::Arc;

/// A pair of tables that adds `<y_u, z_i>` to the score.
pub struct Block {
    /// `[users, d]`, or `[1, d]` when constant.
    pub users: Tensor<2>,
    /// `[items, d]`, or `[1, d]` when constant.
    pub items: Tensor<2>,
    /// Whether each table is one row that stands for all: such a block moves no margin.
    pub constant: bool,
}

impl Block {
    /// A block with one row per user and per item asked for.
    pub fn varying(users: Tensor<2>, items: Tensor<2>) -> Block {
        Block { users, items, constant: false }
    }

    /// A block whose single user row and single item row stand for all.
    pub fn constant(users: Tensor<2>, items: Tensor<2>) -> Block {
        Block { users, items, constant: true }
    }
}

/// Which blocks make up the prediction under one ablation.
pub struct View {
    /// The ablation.
    pub ablation: Ablation,
    /// Positions in [`Encoded::blocks`].
    pub blocks: Vec<usize>,
}

/// The answer to a [`Request`](crate::Request).
pub struct Encoded {
    /// The distinct blocks.
    pub blocks: Vec<Block>,
    /// One view per ablation asked for.
    pub views: Vec<View>,
}

impl Encoded {
    /// The blocks of one ablation.
    ///
    /// # Panics
    /// If the ablation was not asked for.
    pub fn view(&self, ablation: Ablation) -> impl Iterator<Item = &Block> {
        find(&self.views, ablation).blocks.iter().map(|&b| &self.blocks[b])
    }

    /// Margins of the triples; `triples` holds row positions in the encoded tables. Each block's margins are
    /// computed when an ablation first needs them, and shared by all that do.
    pub fn margins(&self, triples: Arc<TripleIndex>) -> Margins<'_> {
        let blocks = RefCell::new(vec![None; self.blocks.len()]);
        Margins { encoded: self, triples, blocks }
    }

    /// `sum_r user_weights[r] ||Y_r||^2 + sum_r item_weights[r] ||Z_r||^2` of one ablation's final rows,
    /// constant blocks included. Shape `[1]`.
    pub fn square_norm(
        &self,
        ablation: Ablation,
        user_weights: &Arc<[f32]>,
        item_weights: &Arc<[f32]>,
    ) -> Tensor<1> {
        let terms = self
            .view(ablation)
            .flat_map(|b| [(&b.users, user_weights, b.constant), (&b.items, item_weights, b.constant)]);
        terms
            .map(|(table, weights, constant)| {
                let total: Arc<[f32]> =
                    if constant { [weights.iter().sum::<f32>()].into() } else { weights.clone() };
                weighted_square_sum(table.clone(), &total)
            })
            .reduce(|a, b| a + b)
            .expect("a view has at least one block")
    }

    /// The final tables of one ablation as plain row-major values: `(users, items, width)`. Constant blocks
    /// are left out: they change no ranking.
    pub fn tables(&self, ablation: Ablation) -> (Vec<f32>, Vec<f32>, usize) {
        let blocks: Vec<&Block> = self.view(ablation).filter(|b| !b.constant).collect();
        let join = |tables: Vec<Tensor<2>>| Tensor::cat(tables, 1).inner();
        let users = join(blocks.iter().map(|b| b.users.clone()).collect());
        let items = join(blocks.iter().map(|b| b.items.clone()).collect());
        let width = users.dims()[1];
        let values = |t: Tensor<2>| t.into_data().try_into_vec().expect("tables are float32");
        (values(users), values(items), width)
    }
}

/// Margins of one set of triples under every ablation asked for.
pub struct Margins<'a> {
    encoded: &'a Encoded,
    triples: Arc<TripleIndex>,
    blocks: RefCell<Vec<Option<Tensor<1>>>>,
}

impl Margins<'_> {
    /// `Delta_S(u, i, j)` per triple, on the tape.
    ///
    /// # Panics
    /// If the ablation was not asked for.
    pub fn of(&self, ablation: Ablation) -> Tensor<1> {
        let parts = find(&self.encoded.views, ablation).blocks.iter().filter_map(|&b| self.block(b));
        parts.reduce(|a, b| a + b).expect("a view has at least one block that varies")
    }

    fn block(&self, b: usize) -> Option<Tensor<1>> {
        let block = &self.encoded.blocks[b];
        if block.constant {
            return None;
        }
        let compute = || margins(block.users.clone(), block.items.clone(), &self.triples);
        Some(self.blocks.borrow_mut()[b].get_or_insert_with(compute).clone())
    }

    /// The same as plain numbers, off the tape.
    ///
    /// # Panics
    /// If the ablation was not asked for.
    pub fn values(&self, ablation: Ablation) -> Vec<f32> {
        self.of(ablation).inner().into_data().try_into_vec().expect("margins are float32")
    }
}

fn find(views: &[View], ablation: Ablation) -> &View {
    let found = views.iter().find(|v| v.ablation == ablation);
    found.unwrap_or_else(|| panic!("ablation {ablation:?} was not asked for"))
}
