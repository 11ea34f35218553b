//! What a text encoder is made of, whatever its architecture.

use super::stack::Stack;
use crate::error::EncodeError;
use crate::transformer::Weights;

/// The settings of a model, read from its `config.json` and checked.
pub(crate) struct Architecture {
    /// Its name in reports: `model_type` of `config.json`.
    pub(crate) name: &'static str,
    /// Columns of the rows of tokens.
    pub(crate) width: usize,
    /// Rows of the embeddings: ids are below it.
    pub(crate) vocabulary: usize,
    /// Most tokens that have a position.
    pub(crate) most_tokens: usize,
    /// What the architecture alone knows.
    pub(crate) parts: Box<dyn Parts>,
}

/// Which weights become which parts of the encoder.
pub(crate) trait Parts {
    /// Takes the weights that the settings ask for, for texts of at most `length` tokens.
    ///
    /// # Errors
    /// If one is absent or has another shape.
    fn stack(&self, weights: &Weights, length: usize) -> Result<Stack, EncodeError>;
}
