//! `config.json` of BERT and its family.

use std::path::Path;

use serde::Deserialize;

use super::names::{JINA, Names, Relative};
use crate::error::EncodeError;
use crate::json;
use crate::text::config::{CONFIG, Fields, LARGEST, Sizes, model_type};
use crate::transformer::Activation;

/// Settings of a transformer, checked.
pub(crate) struct Config {
    pub(crate) names: &'static Names,
    pub(crate) width: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) hidden: usize,
    pub(crate) activation: Activation,
    /// Rows of the embeddings of positions.
    pub(crate) positions: usize,
    pub(crate) vocabulary: usize,
    pub(crate) segments: usize,
    pub(crate) eps: f32,
    /// Id of the padding token.
    pub(crate) padding: u32,
    /// Distances that attention tells apart, where it does.
    pub(crate) buckets: usize,
}

/// The file as it stands.
#[derive(Deserialize)]
struct Raw {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(alias = "activation")]
    hidden_act: String,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f32>,
    pad_token_id: Option<u32>,
    position_embedding_type: Option<String>,
    feed_forward_type: Option<String>,
    relative_attention_num_buckets: Option<usize>,
}

impl Raw {
    /// The names, by how positions enter.
    fn positions_as(&self, names: &'static Names, fields: Fields<'_>) -> Result<&'static Names, EncodeError> {
        let kind = self.position_embedding_type.as_deref().unwrap_or("absolute");
        match (kind, names.model_type) {
            ("absolute", _) => Ok(names),
            ("alibi", "bert") => {
                let found = self.feed_forward_type.as_deref().unwrap_or("original");
                fields.only(found == "geglu", "feed_forward_type", found, "geglu")?;
                Ok(&JINA)
            }
            _ => Err(fields.fault("position_embedding_type", kind, "absolute")),
        }
    }
}

impl Config {
    /// Reads `config.json` of the folder.
    ///
    /// # Errors
    /// If the architecture is not known, or a setting is absent or out of its range.
    pub(crate) fn read(dir: &Path) -> Result<Config, EncodeError> {
        let file = dir.join(CONFIG);
        let fields = Fields(&file);
        let found = model_type(dir)?.unwrap_or_default();
        let Some(names) = Names::of(&found) else {
            return Err(fields.fault("model_type", &found, "one of BERT's family"));
        };
        let raw: Raw = json::read(&file)?;
        let names = raw.positions_as(names, fields)?;
        let sizes = &raw.sizes;
        sizes.check(fields)?;
        sizes.columns_of_a_head(fields)?;
        let padding = raw.pad_token_id.unwrap_or(u32::from(names.padded_positions));
        if names.padded_positions && padding as usize + 1 >= sizes.max_position_embeddings {
            return Err(fields.fault("pad_token_id", padding, "less than max_position_embeddings - 1"));
        }
        let eps = raw.layer_norm_eps.unwrap_or(1e-12);
        fields.eps("layer_norm_eps", eps)?;
        let buckets = raw.relative_attention_num_buckets.unwrap_or(32);
        if names.relative == Relative::Buckets && !(4..=LARGEST).contains(&buckets) {
            return Err(fields.fault("relative_attention_num_buckets", buckets, "4 or more"));
        }
        Ok(Config {
            names,
            width: sizes.hidden_size,
            layers: sizes.num_hidden_layers,
            heads: sizes.num_attention_heads,
            hidden: sizes.intermediate_size,
            activation: Activation::named(&file, &raw.hidden_act)?,
            positions: sizes.max_position_embeddings,
            vocabulary: sizes.vocab_size,
            segments: if names.segments { raw.type_vocab_size.unwrap_or(2) } else { 0 },
            eps,
            padding,
            buckets,
        })
    }

    /// Most tokens that have a position.
    pub(crate) fn most_tokens(&self) -> usize {
        if self.names.padded_positions { self.positions - self.padding as usize - 1 } else { self.positions }
    }
}
