//! Why an item is in a list: the parts of its score, what of the history it is like, what silencing would do.

use crate::askers::{Asker, Reception};
use crate::error::RecommendError;
use crate::feedback::Feedback;
use crate::request::{Because, ExplainRequest, IDS, OnUnknown};
use crate::scorer::{UserRows, counted, product, unweighted};
use crate::served::ServedModel;
use crate::weighting::{ScoreWeights, blocks, blocks_of_modality};
use equipoise_models::Ablation;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Items of the history that are named.
const NAMED: usize = 3;

/// Explains items of lists under one weighting.
pub(crate) struct Explainer<'a> {
    model: &'a ServedModel,
    /// Weights of the modalities.
    weights: Vec<f64>,
    full: Vec<usize>,
    /// Blocks that speak for an item under the weighting, each with what it counts.
    counting: Vec<(usize, f64)>,
    /// Blocks of the model without each modality.
    without: Vec<Vec<usize>>,
    /// Blocks that tell each modality's own part.
    own: Vec<Vec<(usize, f64)>>,
}

/// One user and one item: the score, its parts, and the counterfactual scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// Raw id of the user; a stranger has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<String>,
    /// Raw id of the item.
    pub item: String,
    /// Title of the item, where known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// The score.
    pub score: f64,
    /// Place of the item among all items that the user has not met, from 1; `None` if the user has met it.
    pub rank: Option<usize>,
    /// What ids and each modality add to the score.
    pub parts: BTreeMap<String, f64>,
    /// The score without each modality.
    pub without: BTreeMap<String, f64>,
    /// The place of the item without each modality.
    pub rank_without: BTreeMap<String, Option<usize>>,
    /// The items of the history that are most like this one.
    pub because: Vec<Because>,
}

impl<'a> Explainer<'a> {
    /// Prepares for one weighting.
    ///
    /// # Errors
    /// If the tables lack an ablation that parts need.
    pub(crate) fn new(
        model: &'a ServedModel,
        weighting: &ScoreWeights,
    ) -> Result<Explainer<'a>, RecommendError> {
        let (tables, n) = (model.tables(), model.modalities().len());
        let weights = match weighting {
            ScoreWeights::Weights(weights) => weights.clone(),
            ScoreWeights::Under(ablation) => {
                (0..n).map(|m| if ablation.silences(m) { 0.0 } else { 1.0 }).collect()
            }
        };
        let without = (0..n).map(|m| blocks(tables, Ablation::without(m)).map(<[usize]>::to_vec));
        let own = (0..n).map(|m| Ok(blocks_of_modality(tables, m)?.into_iter().map(|b| (b, 1.0)).collect()));
        // A block that counts against the rest of the score makes no item like another.
        let counting = weighting.coefficients(tables)?.into_iter().filter(|(_, by)| *by > 0.0);
        Ok(Explainer {
            model,
            weights,
            counting: counting.map(|(b, by)| (b, f64::from(by))).collect(),
            full: blocks(tables, Ablation::FULL)?.to_vec(),
            without: without.collect::<Result<_, _>>()?,
            own: own.collect::<Result<_, RecommendError>>()?,
        })
    }

    /// The blocks that it reads.
    pub(crate) fn blocks(&self) -> Vec<usize> {
        self.full.iter().chain(self.without.iter().flatten()).copied().collect()
    }

    /// What ids and each modality add to the score of an item: `w_m (y_full - y_without(m))` for modality `m`, and for the ids
    /// what is left, `y_full - sum_m (y_full - y_without(m))`. They add up to the weighted score.
    pub(crate) fn parts(&self, rows: &UserRows, item: u32) -> BTreeMap<String, f64> {
        let scores = self.block_scores(rows, item);
        let sum = |blocks: &[usize]| blocks.iter().map(|&b| scores[b]).sum::<f64>();
        let full = sum(&self.full);
        let effects: Vec<f64> = self.without.iter().map(|blocks| full - sum(blocks)).collect();
        let weighted = effects.iter().zip(&self.weights).map(|(effect, weight)| weight * effect);
        let names = self.model.modalities().iter().cloned();
        let ids = (IDS.to_owned(), full - effects.iter().sum::<f64>());
        names.zip(weighted).chain([ids]).collect()
    }

    /// The product of the rows in each block; 0 where the user has none, as no score then reads it.
    fn block_scores(&self, rows: &UserRows, item: u32) -> Vec<f64> {
        let blocks = self.model.tables().blocks().iter().zip(rows);
        blocks
            .map(|(block, own)| {
                let row = &block.items()[item as usize * block.width()..][..block.width()];
                own.as_ref().map_or(0.0, |own| product(own, row))
            })
            .collect()
    }

    /// The items of a history that are most like an item, by the cosine of their rows where each product of a block counts as much
    /// as it does in the score: a silenced modality is no reason.
    pub(crate) fn because(&self, history: &[(u32, f64)], item: u32) -> Vec<Because> {
        let mut met: Vec<(u32, f64)> = history
            .iter()
            .filter(|&&(other, _)| other != item)
            .map(|&(other, _)| (other, cosine(self.model, &self.counting, item, other)))
            .collect();
        met.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let named = met.into_iter().take(NAMED);
        named
            .map(|(other, likeness)| {
                let names = self.model.modalities().iter().cloned();
                let by = self.own.iter().map(|blocks| cosine(self.model, blocks, item, other));
                Because {
                    id: self.model.vocabulary().items()[other as usize].to_owned(),
                    title: self.model.infos().title(other),
                    likeness,
                    by_modality: names.zip(by).collect(),
                }
            })
            .collect()
    }
}

/// The cosine of two items' rows in some blocks, each times what it counts; 0 if one is zero.
fn cosine(model: &ServedModel, blocks: &[(usize, f64)], a: u32, b: u32) -> f64 {
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (block, by) in blocks.iter().map(|&(b, by)| (&model.tables().blocks()[b], by)) {
        let row = |item: u32| &block.items()[item as usize * block.width()..][..block.width()];
        both += by * product(row(a), row(b));
        of_a += by * product(row(a), row(a));
        of_b += by * product(row(b), row(b));
    }
    let scale = (of_a * of_b).sqrt();
    if scale > 0.0 { both / scale } else { 0.0 }
}

impl ServedModel {
    /// Explains one item to one user.
    ///
    /// # Errors
    /// If the model does not know the user or the item.
    pub fn explain(&self, user: &str, item: &str) -> Result<Explanation, RecommendError> {
        let request = ExplainRequest {
            user: Some(user.to_owned()),
            item: item.to_owned(),
            ..ExplainRequest::default()
        };
        self.explain_to(&request, &())
    }

    /// Explains one item to a user or a stranger, with what users have met since training.
    ///
    /// # Errors
    /// A field that cannot be used, with its name; an id that the model does not know.
    pub fn explain_to(
        &self,
        request: &ExplainRequest,
        feedback: &dyn Feedback,
    ) -> Result<Explanation, RecommendError> {
        let model = self.with_weighting(self.weighting_with(&request.modality_weights)?)?;
        let item = model.item(&request.item).map_err(|error| error.at("item"))?;
        let explainer = Explainer::new(&model, model.weighting())?;
        let coefficients = model.weighting().coefficients(model.tables())?;
        let blocks = [counted(&coefficients), explainer.blocks()].concat();
        let reception = Reception { model: &model, blocks: &blocks, unknown: OnUnknown::Error, feedback };
        let asker = match (&request.user, &request.history) {
            (Some(user), None) => reception.user("user", user)?,
            (None, Some(basket)) => reception.basket("history", basket)?,
            _ => return Err(RecommendError::field("user", "expected exactly one of `user` and `history`")),
        };
        let rows = asker.rows.as_ref().expect("who is known has rows");
        let scores = explainer.block_scores(rows, item);
        let parts = explainer.parts(rows, item);
        let names = || model.modalities().iter().cloned();
        let without = explainer.without.iter().map(|blocks| blocks.iter().map(|&b| scores[b]).sum::<f64>());
        let places = explainer.without.iter().map(|blocks| model.place(&asker, item, &unweighted(blocks)));
        Ok(Explanation {
            user: request.user.clone(),
            item: request.item.clone(),
            title: model.infos().title(item),
            score: parts.values().sum(),
            rank: model.place(&asker, item, &coefficients)?,
            rank_without: names().zip(places.collect::<Result<Vec<_>, _>>()?).collect(),
            without: names().zip(without).collect(),
            because: explainer.because(&asker.liked(), item),
            parts,
        })
    }

    /// The place of an item among those that somebody has not met, from 1.
    fn place(
        &self,
        asker: &Asker,
        item: u32,
        coefficients: &[(usize, f32)],
    ) -> Result<Option<usize>, RecommendError> {
        let met = |item: u32| asker.history.binary_search_by_key(&item, |&(item, _)| item).is_ok();
        if met(item) {
            return Ok(None);
        }
        let joined = self.joined(&counted(coefficients))?;
        let mut row = Vec::new();
        joined.weighted(asker.rows.as_ref().expect("who is known has rows"), coefficients, &mut row);
        let scores = joined.scores(&row)?;
        let own = scores[item as usize];
        let before = |other: u32, score: f32| score > own || (score == own && other < item);
        let all = scores.iter().zip(0u32..).filter(|&(&score, other)| before(other, score)).count();
        let known = asker.history.iter().filter(|&&(other, _)| before(other, scores[other as usize])).count();
        Ok(Some(all - known + 1))
    }
}
