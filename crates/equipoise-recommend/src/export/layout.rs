//! How users and items are laid out for others: the parts of the score side by side.
//!
//! ```text
//! score(u, i) = <user vector, item vector> = sum over the parts p of c_p * <user part p, item part p>
//! ```
//!
//! A part is a block of the final tables. An item's vector has the item rows of all parts side by side; a user's has the user rows,
//! each times its coefficient `c_p` under the weights in force. Other weights `w` are asked for by other coefficients, with the same
//! item vectors:
//!
//! ```text
//! c_p = [p in full] * (1 + sum over modalities m of (w_m - 1)) - sum over m of (w_m - 1) * [p in without m]
//! ```

use crate::block_names::block_names;
use crate::error::RecommendError;
use crate::request::ModelName;
use crate::served::ServedModel;
use crate::weighting::{ScoreWeights, blocks};
use equipoise_data::write_atomic;
use equipoise_models::Ablation;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Name of the file that describes an export.
pub(super) const EXPORT: &str = "export.json";
/// Version of that file.
const VERSION: u32 = 1;

/// The layout of a model for others.
pub(super) struct Layout<'a> {
    pub(super) model: &'a ServedModel,
    pub(super) parts: Vec<Part>,
    /// Values of a vector.
    pub(super) width: usize,
}

/// A part of the score.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Part {
    /// `ids`, a modality, or the ablation that it belongs to.
    pub(super) name: String,
    /// Where it begins in a vector.
    pub(super) start: usize,
    /// Its number of values.
    pub(super) width: usize,
    /// What the user's part is multiplied with under the weights in force.
    pub(super) coefficient: f32,
    /// Whether it belongs to the whole model.
    in_full: bool,
    /// The modalities without which it still counts.
    in_without: Vec<String>,
    #[serde(skip)]
    pub(super) block: usize,
}

/// `export.json`.
#[derive(Serialize)]
struct Description<'a, M: Serialize> {
    version: u32,
    target: &'a str,
    model: &'a ModelName,
    users: usize,
    items: usize,
    width: usize,
    weights: BTreeMap<&'a str, f64>,
    parts: &'a [Part],
    score: &'static str,
    other_weights: &'static str,
    #[serde(flatten)]
    more: M,
}

impl<'a> Layout<'a> {
    /// Lays out the parts that some weights need.
    ///
    /// # Errors
    /// If the tables lack an ablation.
    pub(super) fn new(model: &'a ServedModel) -> Result<Layout<'a>, RecommendError> {
        let (tables, names) = (model.tables(), block_names(model.tables()));
        let full = blocks(tables, Ablation::FULL)?;
        let without: Vec<&[usize]> = (0..model.modalities().len())
            .map(|m| blocks(tables, Ablation::without(m)))
            .collect::<Result<_, _>>()?;
        let coefficients = model.weighting().coefficients(tables)?;
        let (mut parts, mut start) = (Vec::new(), 0);
        for (b, block) in tables.blocks().iter().enumerate() {
            let within = |m: &usize| without[*m].contains(&b);
            let in_without: Vec<usize> = (0..without.len()).filter(within).collect();
            if !full.contains(&b) && in_without.is_empty() {
                continue;
            }
            let coefficient = coefficients.iter().find(|(other, _)| *other == b).map_or(0.0, |(_, by)| *by);
            parts.push(Part {
                name: names[b].clone(),
                start,
                width: block.width(),
                coefficient,
                in_full: full.contains(&b),
                in_without: in_without.into_iter().map(|m| model.modalities()[m].clone()).collect(),
                block: b,
            });
            start += block.width();
        }
        Ok(Layout { model, parts, width: start })
    }

    /// The vector of a user under the weights in force.
    pub(super) fn user(&self, user: usize, vector: &mut Vec<f32>) {
        for part in &self.parts {
            vector.extend(self.user_part(part, user).iter().map(|v| v * part.coefficient));
        }
    }

    /// The vector of an item.
    pub(super) fn item(&self, item: usize, vector: &mut Vec<f32>) {
        self.parts.iter().for_each(|part| vector.extend(self.item_part(part, item)));
    }

    /// The user's row in a part, without its coefficient.
    pub(super) fn user_part(&self, part: &Part, user: usize) -> &[f32] {
        &self.model.tables().blocks()[part.block].users()[user * part.width..][..part.width]
    }

    /// The item's row in a part.
    pub(super) fn item_part(&self, part: &Part, item: usize) -> &[f32] {
        &self.model.tables().blocks()[part.block].items()[item * part.width..][..part.width]
    }

    /// Writes `export.json` with what the target adds.
    ///
    /// # Errors
    /// File system faults.
    pub(super) fn describe(
        &self,
        target: &str,
        dir: &Path,
        more: impl Serialize,
    ) -> Result<(), RecommendError> {
        let weights: Vec<f64> = match self.model.weighting() {
            ScoreWeights::Weights(weights) => weights.clone(),
            ScoreWeights::Under(ablation) => (0..self.model.modalities().len())
                .map(|m| if ablation.silences(m) { 0.0 } else { 1.0 })
                .collect(),
        };
        let description = Description {
            version: VERSION,
            target,
            model: self.model.name(),
            users: self.model.tables().n_users(),
            items: self.model.tables().n_items(),
            width: self.width,
            weights: self.model.modalities().iter().map(String::as_str).zip(weights).collect(),
            parts: &self.parts,
            score: "the inner product of a user's vector and an item's; of equal scores the item that comes first ranks first",
            other_weights: "multiply the user's row of each part, as it is without a coefficient, with \
                 in_full * (1 + sum over modalities m of (w_m - 1)) - sum over the m in in_without of (w_m - 1)",
            more,
        };
        let path = dir.join(EXPORT);
        let text = serde_json::to_string_pretty(&description).expect("names and finite numbers are JSON");
        write_atomic(&path, |file| writeln!(file, "{text}")).map_err(RecommendError::io(&path))
    }
}
