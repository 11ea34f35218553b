//! Scores of a block of users and a block of items.

use equipoise_kernels::scores::PackedRows;

/// Users per block.
pub(crate) const USER_BLOCK: usize = 192;
/// Items per block: whole panels.
pub(crate) const ITEM_BLOCK: usize = 12 * PackedRows::PANEL;

/// The item table, packed once, in blocks of `ITEM_BLOCK` items; the last may be shorter.
///
/// The bits of a score depend on its two rows alone: not on the other users asked for, the number of threads, or the
/// size of the tables.
pub(crate) struct ItemBlocks {
    packed: PackedRows,
    n_items: usize,
}

impl ItemBlocks {
    /// Packs tables side by side, each with its width.
    pub(crate) fn new(tables: &[(&[f32], usize)]) -> Self {
        let (first, width) = tables[0];
        ItemBlocks { packed: PackedRows::joined(tables), n_items: first.len() / width }
    }

    /// First item of each block and the number of items in it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.n_items).step_by(ITEM_BLOCK).map(|first| (first, ITEM_BLOCK.min(self.n_items - first)))
    }

    /// `<users[u], z_i>` for the block that starts at `first`, on the calling thread: row after row in `scores`, from which
    /// it takes what it needs. Returns the numbers of a row, some more than there are items.
    pub(crate) fn score(&self, users: &[f32], first: usize, scores: &mut [f32]) -> usize {
        let (panel, left) = (first / PackedRows::PANEL, self.n_items - first);
        let panels = panel..panel + ITEM_BLOCK.min(left).div_ceil(PackedRows::PANEL);
        let (rows, stride) = (users.len() / self.packed.width(), panels.len() * PackedRows::PANEL);
        self.packed.products(users, panels, &mut scores[..rows * stride]);
        stride
    }
}

/// The embeddings of `users`, at the beginning of `rows`.
pub(crate) fn gather<'a>(table: &[f32], dim: usize, users: &[u32], rows: &'a mut [f32]) -> &'a [f32] {
    let rows = &mut rows[..users.len() * dim];
    for (row, &user) in rows.chunks_exact_mut(dim).zip(users) {
        row.copy_from_slice(&table[user as usize * dim..][..dim]);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_the_inner_products_of_all_items() {
        let (dim, n_items, users) = (3, ITEM_BLOCK + 5, [1u32, 0]);
        let table: Vec<f32> = (0..n_items * dim).map(|x| (x % 11) as f32 - 5.0).collect();
        let of_users = &table[4..10];
        let mut rows = vec![9.0; USER_BLOCK * dim];
        let rows = gather(of_users, dim, &users, &mut rows);
        let mut scores = vec![f32::NAN; USER_BLOCK * ITEM_BLOCK];
        let (blocks, mut seen) = (ItemBlocks::new(&[(&table, dim)]), 0);
        for (first, n) in blocks.iter() {
            let stride = blocks.score(rows, first, &mut scores);
            for (u, scores) in scores.chunks(stride).take(users.len()).enumerate() {
                for (i, &found) in scores[..n].iter().enumerate() {
                    let user = &of_users[users[u] as usize * dim..][..dim];
                    let item = &table[(first + i) * dim..][..dim];
                    let expected: f32 = user.iter().zip(item).map(|(a, b)| a * b).sum();
                    assert_eq!(found, expected, "user {u}, item {i}");
                }
            }
            seen += n;
        }
        assert_eq!(seen, n_items);
    }
}
