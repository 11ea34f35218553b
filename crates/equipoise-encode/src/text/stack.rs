//! From token ids to the rows of the last layer, whatever the architecture.
//!
//! ```text
//! x_t = norm(word[id_t] + position[p_t])      then every block      then a norm, where the architecture has one
//! ```
//!
//! `p_t = t`, or `padding + 1 + t` where positions count from the padding token; a padding token within a text has position
//! `padding` and is not counted. Where blocks turn queries and keys by their positions, nothing is added here.

use crate::transformer::{Block, Norm, RelativeBias, Scratch};

/// Embeddings and blocks of a transformer.
pub(crate) struct Stack {
    /// The row of each token.
    pub(crate) words: Vec<f32>,
    /// The row of each position; empty where there is none.
    pub(crate) positions: Vec<f32>,
    /// The padding token, where positions count from it.
    pub(crate) padding: Option<u32>,
    /// Norm of the embeddings.
    pub(crate) norm: Norm,
    pub(crate) blocks: Vec<Block>,
    /// A bias that all blocks share.
    pub(crate) bias: Option<RelativeBias>,
    /// Norm after the last block.
    pub(crate) last: Norm,
    /// Columns.
    pub(crate) width: usize,
}

impl Stack {
    /// The rows of the last layer for packed sequences of ids, into `x`.
    pub(crate) fn forward(
        &self,
        sequences: &[Vec<u32>],
        offsets: &[usize],
        scratch: &mut Scratch,
        x: &mut Vec<f32>,
    ) {
        x.clear();
        sequences.iter().for_each(|ids| self.embed(ids, x));
        self.norm.forward(x);
        for block in &self.blocks {
            block.forward(x, offsets, self.bias.as_ref(), scratch);
        }
        self.last.forward(x);
    }

    /// Adds the rows of a text's tokens to `x`.
    fn embed(&self, ids: &[u32], x: &mut Vec<f32>) {
        let mut counted = 0;
        for &id in ids {
            let word = &self.words[id as usize * self.width..][..self.width];
            if self.positions.is_empty() {
                x.extend_from_slice(word);
                continue;
            }
            let position = self.position(id, &mut counted);
            let position = &self.positions[position * self.width..][..self.width];
            x.extend(word.iter().zip(position).map(|(w, p)| w + p));
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

/// Adds `row` to each row of a table.
pub(crate) fn add_to_rows(table: &mut [f32], row: &[f32]) {
    table.chunks_exact_mut(row.len()).for_each(|of| of.iter_mut().zip(row).for_each(|(t, r)| *t += r));
}
