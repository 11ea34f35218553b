//! Encoded tables as blocks: `y_hat_S(u, i) = sum over the blocks b of view S of <y_u^b, z_i^b>`.
//!
//! A concatenation scores like the sum of its blocks, and under ablation most blocks stay as they are. Keeping
//! blocks apart lets several ablations share them, and their margins are computed once per block.

use crate::Ablation;
use burn::tensor::Tensor;
use equipoise_data::Triples;
use equipoise_nn::{RowWeights, margins, margins_and_norm, weighted_square_sum};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
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
    /// A block with one row per user and per item requested.
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
#[derive(Default)]
pub struct Encoded {
    /// The distinct blocks.
    pub blocks: Vec<Block>,
    /// One view per ablation requested.
    pub views: Vec<View>,
    /// The backbone's own loss (contrastive terms, regularisers), shape `[1]`, where the request has a batch.
    pub extra: Option<Tensor<1>>,
}

impl Encoded {
    /// The blocks of one ablation.
    ///
    /// # Panics
    /// If the ablation was not requested.
    pub fn view(&self, ablation: Ablation) -> impl Iterator<Item = &Block> {
        find(&self.views, ablation).blocks.iter().map(|&b| &self.blocks[b])
    }

    /// Adds the views of another answer for the same rows, with their blocks; its own loss is left out.
    pub fn absorb(&mut self, other: Encoded) {
        let first = self.blocks.len();
        self.blocks.extend(other.blocks);
        for View { ablation, blocks } in other.views {
            self.views.push(View { ablation, blocks: blocks.into_iter().map(|b| first + b).collect() });
        }
    }

    /// What a loss reads: margins of the triples (row positions in the encoded tables) and, with weights, the
    /// weighted squared norm of the final rows. Each block is worked through when an ablation first needs it,
    /// and shared by all that do.
    pub fn terms(&self, triples: Arc<Triples>, weights: Option<Arc<RowWeights>>) -> Terms<'_> {
        let blocks = RefCell::new(vec![None; self.blocks.len()]);
        Terms { inner: Rc::new(Inner { encoded: self, triples, weights, blocks }) }
    }

    /// Margins of the triples alone.
    pub fn margins(&self, triples: Arc<Triples>) -> Margins<'_> {
        let all = 0..triples.len();
        self.terms(triples, None).margins(all)
    }

    /// `sum_r user_weights[r] ||Y_r||^2 + sum_r item_weights[r] ||Z_r||^2` of one ablation's final rows,
    /// constant blocks included. Shape `[1]`.
    pub fn square_norm(&self, ablation: Ablation, users: &[f32], items: &[f32]) -> Tensor<1> {
        let weights = RowWeights { users: users.to_vec(), items: items.to_vec() };
        self.terms(Arc::default(), Some(Arc::new(weights))).square_norm(ablation)
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

/// Margins and norms of one step under every ablation requested.
#[derive(Clone)]
pub struct Terms<'a> {
    inner: Rc<Inner<'a>>,
}

struct Inner<'a> {
    encoded: &'a Encoded,
    triples: Arc<Triples>,
    weights: Option<Arc<RowWeights>>,
    /// Per block: margins of all triples, then the squared norm where weights are given.
    blocks: RefCell<Vec<Option<Tensor<1>>>>,
}

impl<'a> Terms<'a> {
    /// Margins of a range of the triples.
    pub fn margins(&self, range: Range<usize>) -> Margins<'a> {
        Margins { terms: self.clone(), range, held: None }
    }

    /// `sum_r w_r ||Y_r||^2 + sum_r w_r ||Z_r||^2` of one ablation's final rows, constant blocks included.
    /// Shape `[1]`.
    ///
    /// # Panics
    /// If no weights were given, or the ablation was not requested.
    pub fn square_norm(&self, ablation: Ablation) -> Tensor<1> {
        let inner = &self.inner;
        let weights = inner.weights.as_deref().expect("weights were given");
        let n = inner.triples.len();
        let constants = inner
            .encoded
            .view(ablation)
            .filter(|b| b.constant)
            .flat_map(|b| [(&b.users, &weights.users), (&b.items, &weights.items)]);
        let constants = constants.map(|(row, weights)| {
            weighted_square_sum(row.clone(), &Arc::from([weights.iter().sum::<f32>()]))
        });
        let varying = self.sum(ablation).narrow(0, n, 1);
        constants.fold(varying, |sum, term| sum + term)
    }

    /// Sum over the blocks of a view that vary.
    fn sum(&self, ablation: Ablation) -> Tensor<1> {
        let view = find(&self.inner.encoded.views, ablation);
        let parts = view.blocks.iter().filter_map(|&b| self.block(b));
        parts.reduce(|a, b| a + b).expect("a view has at least one block that varies")
    }

    fn block(&self, b: usize) -> Option<Tensor<1>> {
        let Inner { encoded, triples, weights, blocks } = &*self.inner;
        let block = &encoded.blocks[b];
        if block.constant {
            return None;
        }
        let (users, items) = (|| block.users.clone(), || block.items.clone());
        let compute = || match weights {
            Some(weights) => margins_and_norm(users(), items(), triples, weights),
            None => margins(users(), items(), triples),
        };
        Some(blocks.borrow_mut()[b].get_or_insert_with(compute).clone())
    }
}

/// Margins of one set of triples under every ablation requested.
pub struct Margins<'a> {
    terms: Terms<'a>,
    range: Range<usize>,
    /// Where plain numbers come from, if not from here.
    held: Option<(Terms<'a>, Range<usize>)>,
}

impl<'a> Margins<'a> {
    /// The same with the plain numbers of other margins: what is read off the tape is held constant while the model
    /// moves. Checks compare gradients with difference quotients by this.
    #[must_use]
    pub fn held_at(self, other: &Margins<'a>) -> Margins<'a> {
        Margins { held: Some((other.terms.clone(), other.range.clone())), ..self }
    }

    /// `Delta_S(u, i, j)` per triple, on the tape.
    ///
    /// # Panics
    /// If the ablation was not requested.
    pub fn of(&self, ablation: Ablation) -> Tensor<1> {
        within(&self.terms, &self.range, ablation)
    }

    /// The same as plain numbers, off the tape: constants, through which no gradient flows.
    ///
    /// # Panics
    /// If the ablation was not requested.
    pub fn values(&self, ablation: Ablation) -> Vec<f32> {
        let (terms, range) =
            self.held.as_ref().map_or((&self.terms, &self.range), |(terms, range)| (terms, range));
        within(terms, range, ablation).inner().into_data().try_into_vec().expect("margins are float32")
    }
}

fn within(terms: &Terms, range: &Range<usize>, ablation: Ablation) -> Tensor<1> {
    let sum = terms.sum(ablation);
    if *range == (0..sum.dims()[0]) { sum } else { sum.narrow(0, range.start, range.len()) }
}

fn find(views: &[View], ablation: Ablation) -> &View {
    let found = views.iter().find(|v| v.ablation == ablation);
    found.unwrap_or_else(|| panic!("ablation {ablation:?} was not requested"))
}
