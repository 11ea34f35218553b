//! DeepStyle: a projected feature less a learned vector of the item's category leaves its style (Liu, Wu & Wang,
//! SIGIR 2017), for any number of modalities.
//!
//! # Equations
//! With the category `g(i)` of item `i`:
//! ```text
//! s_i^m = W_m e_i^m + b_m - c^m_g(i)                                            d                     (1)
//! split:  y_hat(u, i) = <x_u, x_i> + sum_m < p_u^m , s_i^m >                                          (2)
//!         Y_u = [ x_u ; p_u^1 ; ... ; p_u^n ]   Z_i = [ x_i ; s_i^1 ; ... ; s_i^n ]   D = (1 + n) d
//! tied:   y_hat(u, i) = < x_u , x_i + sum_m s_i^m >,  b_m = 0                                         (3)
//!         Y_u = x_u   Z_i = x_i + sum_m s_i^m                                         D = d
//! ```
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `x_u`, `x_i` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier uniform |
//! | `p_u^m` | `user.<m>` (`split` only) | `U x d` | Xavier uniform |
//! | `W_m` | `weight.<m>` | `d x d_m` | `U(-1/sqrt(d_m), 1/sqrt(d_m))` |
//! | `b_m` | `bias.<m>` (`split` only) | `1 x d` | `U(-1/sqrt(d_m), 1/sqrt(d_m))` |
//! | `c^m` | `category.<m>` (unless `categories` is `none`) | `C x d` | Xavier uniform |
//!
//! # Ablation
//! Features and preferences of a silenced modality become their means; so does the category term,
//! `c^m_g(i) <- (1/I) sum_k c^m_g(k)`, unless `ablate_category` is false. The one user table of `tied` carries the
//! ids too and is never silenced. Scores are additive, so no pass beyond the plain one is needed: with
//! `D_m = <p_u^m, s_i^m - s_j^m>` (`x_u` in place of `p_u^m` if tied),
//! ```text
//! Delta_S = D_id + sum over the audible m of D_m + sum over the silenced m of R_m
//! R_m = -< mean_u p_u^m , c^m_g(i) - c^m_g(j) > if the category is kept (x_u in place of the mean if tied), else 0
//! ```
//! Under `tied` the final row is a sum over modalities, whose penalty is no sum of penalties: there each ablation
//! has one block, made of terms that all ablations share.
//!
//! # Variants
//! `tied` is the published form, for one modality; `split` gives every modality preferences of its own, as
//! counterfactual knowledge distillation assumes. A category that is kept still contributes to the score of a silenced
//! modality: how much the average user likes the category.
//!
//! Categories come from the data set (`data`; a category of fewer than `min_count` items joins its parent), or
//! every item is one of its own (`per_item`), or there is no such term (`none`); `auto` is `data` where the data
//! set has categories and `per_item` elsewhere. A vector per item is a free one beside `x_i`: nothing is left of
//! style. With `none`, `split` is VBPR; with a single category it ranks like VBPR.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `variant` | `split` | whether modalities have preferences of their own | `split`, `tied` |
//! | `categories` | `auto` | where categories come from | `auto`, `data`, `per_item`, `none` |
//! | `min_count` | 10 | fewest items of a category of the data set | 1 or more |
//! | `ablate_category` | true | whether a silenced modality's category term is silenced | true, false |
//! | `width` | 64 | width `d` of every block | 1 to 4096 |

use crate::additive::encode_additively;
use crate::entry::{AblationEffect, BackboneSettings};
use crate::nodes::repeated_rows;
use crate::parts::{Build, Content};
use crate::pass::repeat;
use crate::{Ablation, Backbone, Block, Encoded, Inputs, Pass, Request, Tables, View, ranges};
use burn::tensor::{Tensor, TensorData};
use equipoise_data::FieldError;
use equipoise_nn::init;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Whether modalities have preferences of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// One table of preferences per modality.
    #[default]
    Split,
    /// One user table for ids and all modalities.
    Tied,
}

/// Where categories come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategorySource {
    /// The data set if it has them, else one for each item.
    #[default]
    Auto,
    /// The data set.
    Data,
    /// One for each item.
    PerItem,
    /// No category term.
    None,
}

/// Settings of DeepStyle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether modalities have preferences of their own.
    pub variant: Variant,
    /// Where categories come from.
    pub categories: CategorySource,
    /// A category of fewer items joins its parent.
    pub min_count: usize,
    /// Whether silencing a modality silences its category term.
    pub ablate_category: bool,
}

impl Default for Config {
    fn default() -> Self {
        let (variant, categories) = Default::default();
        Config { variant, categories, min_count: 10, ablate_category: true }
    }
}

struct DeepStyle {
    variant: Variant,
    ablate_category: bool,
    styles: Vec<Style>,
}

/// What makes up `s_i^m`.
struct Style {
    content: Content,
    category: Option<Category>,
}

impl BackboneSettings for Config {
    const NAME: &'static str = "deepstyle";
    const TITLE: &'static str = "DeepStyle";
    const SOURCE: &'static str = "Liu, Wu & Wang, SIGIR 2017";
    const SUMMARY: &'static str = "projected content less a learned vector of the item's category";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Additive;

    fn check(&self) -> Result<(), FieldError> {
        ranges::expect("min_count", self.min_count, self.min_count > 0, "1 or more")
    }

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        let Config { variant, ablate_category, .. } = *self;
        let of_items = of_items(self, b.inputs).unwrap_or_else(|fault| {
            b.refuse(fault.within("backbone.deepstyle"));
            None
        });
        b.ids(init::xavier_uniform);
        let modalities = 0..b.n_modalities();
        let style = |m| {
            let content = match variant {
                Variant::Split => {
                    b.preferences(m, init::xavier_uniform);
                    b.projection(m)
                }
                Variant::Tied => b.projection_without_bias(m),
            };
            Style { content, category: of_items.as_ref().map(|items| Category::new(items.clone(), m, b)) }
        };
        let styles = modalities.map(style).collect();
        Box::new(DeepStyle { variant, ablate_category, styles })
    }
}

/// `x - c`, where there is a `c`.
fn less(x: Tensor<2>, category: Option<Tensor<2>>) -> Tensor<2> {
    match category {
        Some(c) => x - c,
        None => x,
    }
}

impl Style {
    /// `s_i^m` of the items requested.
    fn real(&self, pass: &Pass) -> Tensor<2> {
        less(self.content.projected(pass), self.category.as_ref().map(|c| c.rows(pass)))
    }

    /// The same when silenced, the category silenced as well: one row.
    fn constant(&self, pass: &Pass) -> Tensor<2> {
        less(self.content.projected_mean(pass), self.category.as_ref().map(|c| c.mean(pass)))
    }

    /// The same when silenced, the category kept: what goes on varying over the items requested, if anything.
    fn residue(&self, pass: &Pass, ablate_category: bool) -> Option<Tensor<2>> {
        let kept = self.category.as_ref().filter(|_| !ablate_category)?;
        Some(self.content.projected_mean(pass) - kept.rows(pass))
    }
}

impl DeepStyle {
    /// `s_i^m` of the items requested, with the ablation of the pass.
    fn style(&self, pass: &Pass, m: usize) -> Tensor<2> {
        let Style { content, category } = &self.styles[m];
        let silent = pass.ablation().silences(m) && self.ablate_category;
        let category = category.as_ref().map(|c| if silent { c.mean(pass) } else { c.rows(pass) });
        less(content.projected(pass), category)
    }

    fn encode_split(&self, request: &Request) -> Encoded {
        let pass = request.pass(Ablation::FULL);
        let ids = Block::varying(pass.users("user.id"), pass.items("item.id"));
        let real = |m: usize| {
            let style = &self.styles[m];
            Block::varying(style.content.preferences(&pass), style.real(&pass))
        };
        let silenced = |m: usize| {
            let style = &self.styles[m];
            let users = || style.content.mean_preference(&pass);
            match style.residue(&pass, self.ablate_category) {
                Some(items) => Some(Block::varying(repeat(users(), request.users.len()), items)),
                None => request.constants.then(|| Block::constant(users(), style.constant(&pass))),
            }
        };
        encode_additively(request, ids, real, silenced)
    }

    /// One block per ablation, each the sum of terms that are made once.
    fn encode_tied(&self, request: &Request) -> Encoded {
        let pass = request.pass(Ablation::FULL);
        let (users, ids) = (pass.users("user.id"), pass.items("item.id"));
        let mut encoded = Encoded::default();
        let (mut real, mut silenced) = (vec![None; self.styles.len()], vec![None; self.styles.len()]);
        let silent = |style: &Style| {
            let constant = || request.constants.then(|| style.constant(&pass));
            style.residue(&pass, self.ablate_category).or_else(constant)
        };
        for &ablation in request.ablations {
            let mut items = ids.clone();
            for (m, style) in self.styles.iter().enumerate() {
                let term = if ablation.silences(m) {
                    silenced[m].get_or_insert_with(|| silent(style))
                } else {
                    real[m].get_or_insert_with(|| Some(style.real(&pass)))
                };
                items = term.clone().into_iter().fold(items, |sum, term| sum + term);
            }
            encoded.views.push(View { ablation, blocks: vec![encoded.blocks.len()] });
            encoded.blocks.push(Block::varying(users.clone(), items));
        }
        encoded
    }
}

impl Backbone for DeepStyle {
    fn forward(&self, pass: &Pass) -> Tables {
        let (users, ids) = (pass.users("user.id"), pass.items("item.id"));
        let styles = (0..self.styles.len()).map(|m| self.style(pass, m));
        match self.variant {
            Variant::Tied => Tables::new(users, styles.fold(ids, |sum, style| sum + style)),
            Variant::Split => {
                let preferences = self.styles.iter().map(|style| style.content.preferences(pass));
                let users = std::iter::once(users).chain(preferences).collect();
                let items = std::iter::once(ids).chain(styles).collect();
                Tables::new(Tensor::cat(users, 1), Tensor::cat(items, 1))
            }
        }
    }

    fn encode(&self, request: &Request) -> Encoded {
        match self.variant {
            Variant::Split => self.encode_split(request),
            Variant::Tied => self.encode_tied(request),
        }
    }
}

// The category term `c^m_g(i)`.

/// The category `g(i)` of each item.
struct OfItems {
    rows: Vec<u32>,
    /// Share of the items in each category.
    shares: Vec<f32>,
}

/// The categories that these settings ask for; `None` for no category term.
///
/// # Errors
/// If the data set has none and they must come from there.
fn of_items(config: &Config, inputs: &Inputs) -> Result<Option<Arc<OfItems>>, FieldError> {
    let per_item = || (0..inputs.n_items as u32).collect();
    let rows = match (config.categories, &inputs.categories) {
        (CategorySource::None, _) => return Ok(None),
        (CategorySource::PerItem, _) | (CategorySource::Auto, None) => per_item(),
        (CategorySource::Data | CategorySource::Auto, Some(data)) => data.resolve(config.min_count).1,
        (CategorySource::Data, None) => {
            let expected = "a data set with categories.json beside its splits, or auto, per_item or none";
            return Err(FieldError::word("categories", "data", expected));
        }
    };
    Ok(Some(Arc::new(OfItems::new(rows))))
}

impl OfItems {
    fn new(rows: Vec<u32>) -> OfItems {
        let mut counts = vec![0u32; rows.iter().max().map_or(0, |&last| last as usize + 1)];
        rows.iter().for_each(|&row| counts[row as usize] += 1);
        let share = |count| (f64::from(count) / rows.len() as f64) as f32;
        OfItems { shares: counts.into_iter().map(share).collect(), rows }
    }
}

/// One modality's vectors, a table with one row per category.
struct Category {
    of_items: Arc<OfItems>,
    table: String,
}

impl Category {
    /// Registers `category.<m>` of `C x d`.
    fn new(of_items: Arc<OfItems>, m: usize, b: &mut Build) -> Category {
        let (table, group) = (format!("category.{}", b.inputs.modalities[m].name), b.group(m));
        b.table(&table, group, [of_items.shares.len(), b.width], init::xavier_uniform);
        Category { of_items, table }
    }

    /// `c_g(i)` of the items requested: `[items, d]`.
    fn rows(&self, pass: &Pass) -> Tensor<2> {
        let category = |&item: &u32| self.of_items.rows[item as usize];
        repeated_rows(pass.table(&self.table), pass.item_rows().rows().iter().map(category))
    }

    /// `(1/I) sum_i c_g(i)`, one row.
    fn mean(&self, pass: &Pass) -> Tensor<2> {
        let (table, shares) = (pass.table(&self.table), &self.of_items.shares);
        let shares = TensorData::new(shares.clone(), [1, shares.len()]);
        Tensor::<2>::from_data(shares, &table.device()).matmul(table)
    }
}
