//! Scores of a block of users and a block of items.

use gemm::Parallelism;

use crate::embeddings::Embeddings;

/// Users per block.
pub(crate) const USER_BLOCK: usize = 192;
/// Items per block. Both sizes are multiples of the register tiles of every kernel of `gemm`.
pub(crate) const ITEM_BLOCK: usize = 384;

/// The item table in blocks of `ITEM_BLOCK` rows, the last padded with zeros.
///
/// Every product then has one shape and one layout, so the bits of a score depend on its two rows
/// alone: not on the other users asked for, the number of threads, or the size of the tables.
pub(crate) struct ItemBlocks<'a> {
    full: std::slice::ChunksExact<'a, f32>,
    last: Vec<f32>,
    n_items: usize,
}

impl<'a> ItemBlocks<'a> {
    pub(crate) fn new(model: &Embeddings<'a>) -> Self {
        let full = model.items.chunks_exact(ITEM_BLOCK * model.dim);
        let mut last = full.remainder().to_vec();
        if !last.is_empty() {
            last.resize(ITEM_BLOCK * model.dim, 0.0);
        }
        ItemBlocks { full, last, n_items: model.n_items() }
    }

    /// First item of each block, the number of items in it, and its rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, usize, &[f32])> {
        let last = Some(self.last.as_slice()).filter(|rows| !rows.is_empty());
        self.full.clone().chain(last).enumerate().map(|(block, rows)| {
            let first = block * ITEM_BLOCK;
            (first, ITEM_BLOCK.min(self.n_items - first), rows)
        })
    }
}

/// Fills `rows` with the embeddings of `users`, zeros after the last.
pub(crate) fn gather(model: &Embeddings<'_>, users: &[u32], rows: &mut [f32]) {
    let dim = model.dim;
    let (used, unused) = rows.split_at_mut(users.len() * dim);
    for (row, &user) in used.chunks_exact_mut(dim).zip(users) {
        row.copy_from_slice(&model.users[user as usize * dim..][..dim]);
    }
    unused.fill(0.0);
}

/// `scores[u][i] = <users[u], items[i]>` for one block of each, on the calling thread.
///
/// `users` is `USER_BLOCK x dim` row-major, `items` a block of [`ItemBlocks`], and `scores`
/// `USER_BLOCK x ITEM_BLOCK` row-major.
pub(crate) fn score(users: &[f32], items: &[f32], dim: usize, scores: &mut [f32]) {
    assert_eq!(users.len(), USER_BLOCK * dim);
    assert_eq!(items.len(), ITEM_BLOCK * dim);
    assert_eq!(scores.len(), USER_BLOCK * ITEM_BLOCK);
    // SAFETY: the three lengths asserted above are those the shape and strides reach, and `scores`
    // is borrowed mutably, so it overlaps neither operand.
    unsafe {
        gemm::gemm(
            ITEM_BLOCK,
            USER_BLOCK,
            dim,
            scores.as_mut_ptr(),
            ITEM_BLOCK as isize,
            1,
            false,
            items.as_ptr(),
            1,
            dim as isize,
            users.as_ptr(),
            dim as isize,
            1,
            0.0f32,
            1.0f32,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_hold_the_inner_products_and_zeros_beyond_the_tables() {
        let (dim, n_items, users) = (3, ITEM_BLOCK + 5, [1u32, 0]);
        let table: Vec<f32> = (0..n_items * dim).map(|x| (x % 11) as f32 - 5.0).collect();
        let model = Embeddings { users: &table[4..10], items: &table, dim };
        let mut rows = vec![9.0; USER_BLOCK * dim];
        gather(&model, &users, &mut rows);
        let mut scores = vec![f32::NAN; USER_BLOCK * ITEM_BLOCK];
        let mut seen = 0;
        for (first, n, block) in ItemBlocks::new(&model).iter() {
            score(&rows, block, dim, &mut scores);
            for u in 0..USER_BLOCK {
                for i in 0..ITEM_BLOCK {
                    let known = u < users.len() && i < n;
                    let expected = if known {
                        let user = &model.users[users[u] as usize * dim..][..dim];
                        let item = &model.items[(first + i) * dim..][..dim];
                        user.iter().zip(item).map(|(a, b)| a * b).sum()
                    } else {
                        0.0
                    };
                    assert_eq!(scores[u * ITEM_BLOCK + i], expected, "user {u}, item {i}");
                }
            }
            seen += n;
        }
        assert_eq!(seen, n_items);
    }
}
