//! Static embeddings: a vector for each token, and no layers.
//!
//! ```text
//! y = 1/T sum over t of w[id_t] E[m[id_t]]      T tokens, those not in the vocabulary left out; divided by its norm if
//!                                               `normalize`
//! ```
//!
//! `w` (weights) and `m` (mapping) may be absent: 1 and `id`. A text without tokens is 0. Source: the model2vec library
//! (van Dongen and Tulkens 2024), whose folders hold `config.json`, `model.safetensors` and `tokenizer.json`; also the
//! `StaticEmbedding` module of sentence-transformers.

use std::path::Path;

use serde::Deserialize;

use crate::error::EncodeError;
use crate::json;
use crate::transformer::{Weights, unit_rows};

/// Most tokens of a text that the library looks at unless told otherwise.
pub(crate) const MOST: usize = 512;

/// Names of the table of embeddings.
const TABLES: [&str; 2] = ["embeddings", "embedding.weight"];

/// A vector for each token.
pub(crate) struct StaticModel {
    table: Vec<f32>,
    weights: Option<Vec<f32>>,
    mapping: Option<Vec<usize>>,
    normalise: bool,
    width: usize,
    tokens: usize,
}

#[derive(Deserialize)]
struct Config {
    normalize: Option<bool>,
}

impl StaticModel {
    /// The model of the folder `dir`; `normalise` where there is no `config.json` that says.
    ///
    /// # Errors
    /// If a file is absent or a tensor does not fit.
    pub(crate) fn load(dir: &Path, weights: &Weights, normalise: bool) -> Result<StaticModel, EncodeError> {
        let config: Option<Config> = json::read_if_there(&dir.join(super::config::CONFIG))?;
        let name = TABLES.into_iter().find(|name| weights.has(name)).unwrap_or(TABLES[0]);
        let &[rows, width] = weights.shape(name)? else {
            let problem = format!(
                "tensor {name:?} has shape {:?}, expected two dimensions (tokens, width)",
                weights.shape(name)?
            );
            return Err(EncodeError::file(dir, problem));
        };
        if rows == 0 || width == 0 {
            let problem = format!(
                "tensor {name:?} is {rows} x {width}, expected tokens and columns; fetch the model again"
            );
            return Err(EncodeError::file(dir, problem));
        }
        let by_token = ["mapping", "weights"].into_iter().find(|name| weights.has(name));
        let tokens = match by_token {
            Some(name) => weights.shape(name)?.first().copied().unwrap_or(0),
            None => rows,
        };
        let mapping =
            if weights.has("mapping") { Some(weights.indices("mapping", &[tokens])?) } else { None };
        let bad = mapping.iter().flatten().find(|&&row| row >= rows);
        if let Some(row) = bad.copied().or((mapping.is_none() && tokens > rows).then_some(tokens - 1)) {
            let problem =
                format!("a token stands for row {row} of {name:?}, which has {rows}; fetch the model again");
            return Err(EncodeError::file(dir, problem));
        }
        Ok(StaticModel {
            table: weights.tensor(name, &[rows, width])?,
            weights: if weights.has("weights") { Some(weights.tensor("weights", &[tokens])?) } else { None },
            mapping,
            normalise: config.and_then(|c| c.normalize).unwrap_or(normalise),
            width,
            tokens,
        })
    }

    /// Width of the vectors.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Number of tokens that have a vector.
    pub(crate) fn tokens(&self) -> usize {
        self.tokens
    }

    /// Whether vectors have norm 1.
    pub(crate) fn normalises(&self) -> bool {
        self.normalise
    }

    /// The vector of each sequence of ids, into `out`.
    pub(crate) fn encode(&self, sequences: &[Vec<u32>], out: &mut [f32]) {
        for (ids, out) in sequences.iter().zip(out.chunks_exact_mut(self.width)) {
            out.fill(0.0);
            for &id in ids {
                let row = self.mapping.as_ref().map_or(id as usize, |m| m[id as usize]);
                let weight = self.weights.as_ref().map_or(1.0, |w| w[id as usize]);
                let row = &self.table[row * self.width..][..self.width];
                out.iter_mut().zip(row).for_each(|(o, v)| *o += weight * v);
            }
            let count = ids.len().max(1) as f32;
            out.iter_mut().for_each(|o| *o /= count);
        }
        if self.normalise {
            unit_rows(out, self.width);
        }
    }
}
