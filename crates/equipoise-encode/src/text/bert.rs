//! BERT and its family: embeddings, then layers whose norms follow their residuals.
//!
//! ```text
//! x_t = norm(word[id_t] + position[p_t] + segment[0])      then every layer, as `transformer::block` has it
//! ```
//!
//! `p_t = t`, or `padding + 1 + t` where positions count from the padding token (RoBERTa and its kin); a padding token
//! within a text has position `padding` and is not counted.

use super::model::Config;
use crate::error::EncodeError;
use crate::transformer::{Attention, Block, LayerNorm, Linear, Order, RelativeBias, Scratch, Weights};

/// A transformer over tokens.
pub(crate) struct Bert {
    words: Vec<f32>,
    /// Positions, the first segment added.
    positions: Vec<f32>,
    norm: LayerNorm,
    blocks: Vec<Block>,
    bias: Option<RelativeBias>,
    width: usize,
    /// The padding token, where positions count from it.
    padding: Option<u32>,
}

impl Bert {
    /// Takes the weights that `config` asks for.
    ///
    /// # Errors
    /// If one is absent or has another shape.
    pub(crate) fn load(config: &Config, weights: &Weights) -> Result<Bert, EncodeError> {
        let (names, width) = (config.names, config.width);
        let bare = weights.has("embeddings.word_embeddings.weight");
        let prefix = if bare { "" } else { names.prefix };
        let name = |rest: &str| format!("{prefix}{rest}");
        let table = |rest: &str, rows: usize| weights.tensor(&name(rest), &[rows, width]);
        let words = table("embeddings.word_embeddings.weight", config.vocabulary)?;
        let mut positions = table("embeddings.position_embeddings.weight", config.positions)?;
        if config.segments > 0 {
            let segments = table("embeddings.token_type_embeddings.weight", config.segments)?;
            let rows = positions.chunks_exact_mut(width);
            rows.for_each(|row| row.iter_mut().zip(&segments).for_each(|(p, s)| *p += s));
        }
        let blocks = (0..config.layers).map(|n| block(config, weights, prefix, n));
        Ok(Bert {
            words,
            positions,
            norm: LayerNorm::load(weights, &name("embeddings.LayerNorm"), width, config.eps)?,
            blocks: blocks.collect::<Result<_, _>>()?,
            bias: names.relative.then(|| relative(config, weights, prefix)).transpose()?,
            width,
            padding: names.padded_positions.then_some(config.padding),
        })
    }

    /// The rows of the last layer for packed sequences of ids, into `x`.
    pub(crate) fn forward(
        &self,
        sequences: &[Vec<u32>],
        offsets: &[usize],
        scratch: &mut Scratch,
        x: &mut Vec<f32>,
    ) {
        x.clear();
        for ids in sequences {
            let mut counted = 0;
            for &id in ids {
                let position = self.position(id, &mut counted);
                let word = &self.words[id as usize * self.width..][..self.width];
                let position = &self.positions[position * self.width..][..self.width];
                x.extend(word.iter().zip(position).map(|(w, p)| w + p));
            }
        }
        self.norm.forward(x);
        for block in &self.blocks {
            block.forward(x, offsets, self.bias.as_ref(), scratch);
        }
    }

    fn position(&self, id: u32, counted: &mut usize) -> usize {
        let first = match self.padding {
            Some(padding) if padding == id => return padding as usize,
            Some(padding) => padding as usize + 1,
            None => 0,
        };
        *counted += 1;
        first + *counted - 1
    }
}

fn block(config: &Config, weights: &Weights, prefix: &str, n: usize) -> Result<Block, EncodeError> {
    let (names, width) = (config.names, config.width);
    let name = |pattern: &str| format!("{prefix}{}", pattern.replace("{n}", &n.to_string()));
    let square = |pattern: &str| Linear::load(weights, &name(pattern), width, width);
    let norm = |pattern: &str| LayerNorm::load(weights, &name(pattern), width, config.eps);
    let attention = Attention::new(
        square(names.query)?,
        square(names.key)?,
        square(names.value)?,
        square(names.attention_output)?,
        config.heads,
    );
    Ok(Block {
        attention,
        attention_norm: norm(names.attention_norm)?,
        up: Linear::load(weights, &name(names.up), width, config.hidden)?,
        activation: config.activation,
        down: Linear::load(weights, &name(names.down), config.hidden, width)?,
        output_norm: norm(names.output_norm)?,
        order: Order::PostNorm,
        scales: None,
    })
}

/// The bias of MPNet by distance: each distance has a bucket, each bucket a number for each head.
fn relative(config: &Config, weights: &Weights, prefix: &str) -> Result<RelativeBias, EncodeError> {
    let (reach, heads) = (config.most_tokens() - 1, config.heads);
    let name = format!("{prefix}encoder.relative_attention_bias.weight");
    let values = weights.tensor(&name, &[config.buckets, heads])?;
    let distances = 2 * reach + 1;
    let mut table = vec![0.0; heads * distances];
    for (at, distance) in (-(reach as i64)..=reach as i64).enumerate() {
        let bucket = bucket(distance, config.buckets);
        (0..heads).for_each(|head| table[head * distances + at] = values[bucket * heads + head]);
    }
    Ok(RelativeBias { table, reach })
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
