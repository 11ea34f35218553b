//! BERT and its family: embeddings, then layers whose norms follow their residuals.
//!
//! ```text
//! x_t = norm(word[id_t] + position[p_t] + segment[0])      then every layer, as `transformer::block` has it
//! ```
//!
//! Positions count from the padding token in RoBERTa and its kin. Jina's models have no rows of positions but a bias that
//! falls with the distance, and a gated unit in their layers.

mod config;
mod names;

use std::path::Path;

use super::architecture::{Architecture, Parts};
use super::stack::{Stack, add_to_rows};
use crate::error::EncodeError;
use crate::transformer::{Attention, Block, LayerNorm, Linear, Norm, Order, RelativeBias, Weights};
use config::Config;
use names::Relative;

/// Reads `config.json` of the folder.
///
/// # Errors
/// If a setting is absent or out of its range.
pub(crate) fn read(dir: &Path) -> Result<Architecture, EncodeError> {
    let config = Config::read(dir)?;
    Ok(Architecture {
        name: config.names.model_type,
        width: config.width,
        vocabulary: config.vocabulary,
        most_tokens: config.most_tokens(),
        parts: Box::new(config),
    })
}

impl Parts for Config {
    fn stack(&self, weights: &Weights, length: usize) -> Result<Stack, EncodeError> {
        let (names, width) = (self.names, self.width);
        let bare = weights.has("embeddings.word_embeddings.weight");
        let prefix = if bare { "" } else { names.prefix };
        let name = |rest: &str| format!("{prefix}{rest}");
        let table = |rest: &str, rows: usize| weights.tensor(&name(rest), &[rows, width]);
        let mut words = table("embeddings.word_embeddings.weight", self.vocabulary)?;
        let mut positions = match names.relative {
            Relative::Slopes => Vec::new(),
            _ => table("embeddings.position_embeddings.weight", self.positions)?,
        };
        if self.segments > 0 {
            let segments = table("embeddings.token_type_embeddings.weight", self.segments)?;
            let to = if positions.is_empty() { &mut words } else { &mut positions };
            add_to_rows(to, &segments[..width]);
        }
        let blocks = (0..self.layers).map(|n| block(self, weights, prefix, n));
        Ok(Stack {
            words,
            positions,
            padding: names.padded_positions.then_some(self.padding),
            norm: LayerNorm::load(weights, &name("embeddings.LayerNorm"), width, self.eps)?.into(),
            blocks: blocks.collect::<Result<_, _>>()?,
            bias: match names.relative {
                Relative::Nothing => None,
                Relative::Buckets => Some(by_buckets(self, weights, prefix)?),
                Relative::Slopes => Some(by_slopes(self.heads, length)),
            },
            last: Norm::Identity,
            width,
        })
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
    let up = if names.gated { 2 * config.hidden } else { config.hidden };
    Ok(Block {
        attention,
        attention_norm: norm(names.attention_norm)?.into(),
        up: Linear::load(weights, &name(names.up), width, up)?,
        activation: config.activation,
        down: Linear::load(weights, &name(names.down), config.hidden, width)?,
        output_norm: norm(names.output_norm)?.into(),
        order: Order::PostNorm,
        scales: None,
    })
}

/// The bias of MPNet by distance: each distance has a bucket, each bucket a number for each head.
fn by_buckets(config: &Config, weights: &Weights, prefix: &str) -> Result<RelativeBias, EncodeError> {
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

/// The bias of ALiBi by distance: `-m_h |j - i|`, with a slope for each head (Press et al., ICLR 2022, *Train Short, Test
/// Long*; in both directions as Jina's models have it).
fn by_slopes(heads: usize, length: usize) -> RelativeBias {
    let reach = length.max(1) - 1;
    let distances = -(reach as i64)..=reach as i64;
    let table = slopes(heads).into_iter().flat_map(|slope| {
        distances.clone().map(move |distance| (-slope * distance.unsigned_abs() as f64) as f32)
    });
    RelativeBias { table: table.collect(), reach }
}

/// `m_h = 2^(-8 h / H)`, `h = 1 ... H`, for a power of two; else those of the power of two below, then every second one of the
/// power above.
fn slopes(heads: usize) -> Vec<f64> {
    let powers = |n: usize| (1..=n).map(move |h| 2f64.powf(-8.0 * h as f64 / n as f64));
    let below = if heads.is_power_of_two() { heads } else { heads.next_power_of_two() / 2 };
    powers(below).chain(powers(2 * below).step_by(2).take(heads - below)).collect()
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
    fn slopes_halve_from_head_to_head_of_eight_and_fill_up_from_the_next_power() {
        assert_eq!(slopes(8), [1, 2, 3, 4, 5, 6, 7, 8].map(|h| 2f64.powi(-h)));
        let twelve = slopes(12);
        assert_eq!((twelve.len(), &twelve[..8]), (12, &slopes(8)[..]));
        assert_eq!(twelve[8..], [0.5, 1.5, 2.5, 3.5].map(|h| 2f64.powf(-h)));
    }

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
