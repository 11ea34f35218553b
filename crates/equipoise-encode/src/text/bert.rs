//! BERT and its family: embeddings of our own, then candle's layers, whose norms follow their residuals.
//!
//! ```text
//! x_t = norm(word[id_t] + position[p_t] + segment[0])      then every layer of candle's `BertEncoder`
//! ```
//!
//! `p_t = t`, or `padding + 1 + t` where positions count from the padding token (RoBERTa and its kin); a padding token
//! within a text has position `padding` and is not counted. What candle adds to the scores of attention as its mask is 0,
//! since texts of one length need no padding, or MPNet's bias by distance.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{Embedding, LayerNorm, Module, VarBuilder, embedding, layer_norm};
use candle_transformers::models::bert::{self, BertEncoder};

use super::model::Config;
use super::names::Names;
use crate::error::EncodeError;
use crate::transformer::{Naming, Weights, load};

/// A transformer over tokens.
pub(crate) struct Bert {
    words: Embedding,
    /// Positions, the first segment added.
    positions: Embedding,
    norm: LayerNorm,
    encoder: BertEncoder,
    bias: Option<RelativeBias>,
    /// The padding token, where positions count from it.
    padding: Option<u32>,
}

/// The names of an architecture after what stands before all of them.
struct Called {
    prefix: &'static str,
    names: &'static Names,
}

impl Naming for Called {
    fn name(&self, asked: &str) -> String {
        format!("{}{}", self.prefix, self.names.called(asked))
    }
}

impl Bert {
    /// Takes the weights that `config` asks for.
    ///
    /// # Errors
    /// If one is absent or has another shape.
    pub(crate) fn load(config: &Config, weights: &Weights) -> std::result::Result<Bert, EncodeError> {
        let names = config.names;
        let bare = weights.has("embeddings.word_embeddings.weight");
        let called = Called { prefix: if bare { "" } else { names.prefix }, names };
        load(weights, &called, |all| Bert::build(config, &all))
    }

    fn build(config: &Config, all: &VarBuilder) -> Result<Bert> {
        let (names, width) = (config.names, config.width);
        let parts = all.pp("embeddings");
        let words = embedding(config.vocabulary, width, parts.pp("word_embeddings"))?;
        let mut positions = parts.get((config.positions, width), "position_embeddings.weight")?;
        if config.segments > 0 {
            let segments = parts.get((config.segments, width), "token_type_embeddings.weight")?;
            positions = positions.broadcast_add(&segments.get(0)?)?;
        }
        Ok(Bert {
            words,
            positions: Embedding::new(positions, width),
            norm: layer_norm(width, config.eps, parts.pp("LayerNorm"))?,
            encoder: BertEncoder::load(all.pp("encoder"), &layers(config))?,
            bias: names.relative.then(|| RelativeBias::load(config, all)).transpose()?,
            padding: names.padded_positions.then_some(config.padding),
        })
    }

    /// The rows of the last layer, `[sequences, tokens, width]`, of sequences of one length, which `ids` holds too.
    pub(crate) fn forward(&self, sequences: &[Vec<u32>], ids: &Tensor) -> Result<Tensor> {
        let positions = sequences.iter().flat_map(|ids| self.places(ids)).collect();
        let positions = Tensor::from_vec(positions, ids.shape(), &Device::Cpu)?;
        let x = (self.words.forward(ids)? + self.positions.forward(&positions)?)?;
        let bias = match &self.bias {
            Some(bias) => bias.of(ids.dim(1)?)?,
            None => Tensor::zeros((1, 1, 1, 1), DType::F32, &Device::Cpu)?,
        };
        self.encoder.forward(&self.norm.forward(&x)?, &bias)
    }

    /// The row of the table of positions for each token.
    fn places(&self, ids: &[u32]) -> Vec<u32> {
        let Some(padding) = self.padding else { return (0..ids.len() as u32).collect() };
        let mut counted = padding;
        let place = |&id: &u32| {
            if id == padding {
                return padding;
            }
            counted += 1;
            counted
        };
        ids.iter().map(place).collect()
    }
}

/// The configuration of candle's layers.
fn layers(config: &Config) -> bert::Config {
    bert::Config {
        vocab_size: config.vocabulary,
        hidden_size: config.width,
        num_hidden_layers: config.layers,
        num_attention_heads: config.heads,
        intermediate_size: config.hidden,
        hidden_act: config.activation,
        layer_norm_eps: config.eps,
        ..bert::Config::default()
    }
}

/// MPNet's number for each head and each distance `j - i` from query `i` to key `j`.
struct RelativeBias {
    /// By head, then by `distance + reach`: `heads x (2 reach + 1)`.
    table: Vec<f32>,
    heads: usize,
    /// Largest distance.
    reach: usize,
}

impl RelativeBias {
    /// Each distance has a bucket, each bucket a number for each head.
    fn load(config: &Config, all: &VarBuilder) -> Result<RelativeBias> {
        let (reach, heads) = (config.most_tokens() - 1, config.heads);
        let values = all.get((config.buckets, heads), "encoder.relative_attention_bias.weight")?;
        let values = values.to_vec2::<f32>()?;
        let distances = || -(reach as i64)..=reach as i64;
        let bucket = |distance| &values[bucket(distance, config.buckets)];
        let table = (0..heads).flat_map(|head| distances().map(move |distance| bucket(distance)[head]));
        Ok(RelativeBias { table: table.collect(), heads, reach })
    }

    /// What is added to the scores of sequences of so many tokens: `[1, heads, tokens, tokens]`.
    fn of(&self, tokens: usize) -> Result<Tensor> {
        let row = |start: usize| &self.table[start..start + tokens];
        let rows = self.table.chunks_exact(2 * self.reach + 1).enumerate().flat_map(|(head, _)| {
            let middle = head * (2 * self.reach + 1) + self.reach;
            (0..tokens).flat_map(move |query| row(middle - query))
        });
        Tensor::from_iter(rows.copied(), &Device::Cpu)?.reshape((1, self.heads, tokens, tokens))
    }
}

/// The bucket of a distance `j - i`: half of them for keys ahead; of each half, one for each short distance, and the
/// others growing with the logarithm up to distance 128 (Raffel et al., JMLR 2020, section 2.1).
fn bucket(distance: i64, buckets: usize) -> usize {
    let half = buckets / 2;
    let ahead = if distance > 0 { half } else { 0 };
    let size = distance.unsigned_abs() as usize;
    let exact = half / 2;
    if size < exact {
        return ahead + size;
    }
    // In f32, as the model was trained: a boundary may fall on either side.
    let share = (size as f32 / exact as f32).ln() / (128.0 / exact as f64).ln() as f32;
    ahead + (exact + (share * (half - exact) as f32) as usize).min(half - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_exact_nearby_and_logarithmic_far_away() {
        let expected = [(0, 0), (-1, 1), (-7, 7), (-8, 8), (-11, 8), (-12, 9), (-128, 15), (-5000, 15)];
        for (distance, found) in expected {
            assert_eq!(bucket(distance, 32), found, "{distance}");
            if distance < 0 {
                assert_eq!(bucket(-distance, 32), found + 16, "{}", -distance);
            }
        }
    }
}
