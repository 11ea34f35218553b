//! The joined item rows that rankings read, few of them at a time.

use crate::error::RecommendError;
use crate::scorer::JoinedItems;
use equipoise_train::FinalTables;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of joined rows that are kept whatever the size of the tables.
const SMALL: usize = 64 << 20;
/// Joined rows that hold what is wanted among other blocks are used if they are at most so many times as wide: a block whose
/// coefficient is 0 changes no bit of a score and costs time only.
const WIDER: usize = 4;

/// Joined rows, once they are made.
type Cell = Arc<Mutex<Option<Arc<JoinedItems>>>>;

/// One set of blocks; its rows are made by whoever asks first, and others that want the same wait for it alone.
struct Entry {
    blocks: Vec<usize>,
    width: usize,
    cell: Cell,
}

/// Joined item rows by their blocks. All of them together take at most as much memory as the item tables, or [`SMALL`] bytes if
/// that is more; beyond it those go that were not asked for longest.
#[derive(Default)]
pub(crate) struct Joins(Mutex<Vec<Entry>>);

impl Joins {
    /// Joined rows of all items that hold these blocks, ascending, and perhaps others.
    ///
    /// # Errors
    /// If the rows cannot be ranked.
    pub(crate) fn get(
        &self,
        tables: &FinalTables,
        blocks: &[usize],
    ) -> Result<Arc<JoinedItems>, RecommendError> {
        let (blocks, cell) = self.cell(tables, blocks);
        let mut made = locked(&cell);
        if let Some(found) = &*made {
            return Ok(found.clone());
        }
        let joined = Arc::new(JoinedItems::new(tables, &blocks, None)?);
        // The tables were read once from end to end. From here on rankings read the joined rows, and single rows are asked for.
        tables.release();
        *made = Some(joined.clone());
        Ok(joined)
    }

    /// The place of joined rows with these blocks, which is the newest afterwards.
    fn cell(&self, tables: &FinalTables, wanted: &[usize]) -> (Vec<usize>, Cell) {
        let width = |blocks: &[usize]| blocks.iter().map(|&b| tables.blocks()[b].width()).sum::<usize>();
        let mut entries = locked(&self.0);
        let holds = |entry: &&Entry| wanted.iter().all(|b| entry.blocks.contains(b));
        let near = |entry: &&Entry| entry.width <= WIDER * width(wanted) || wanted.is_empty();
        let best = entries.iter().filter(holds).filter(near).min_by_key(|entry| entry.width);
        let entry = match best.map(|entry| entry.blocks.clone()) {
            Some(blocks) => {
                let place = entries.iter().position(|entry| entry.blocks == blocks);
                entries.remove(place.expect("it was just found"))
            }
            None => {
                // Scores of no block are 0 for every item, whichever rows are multiplied.
                let blocks = if wanted.is_empty() { vec![0] } else { wanted.to_vec() };
                Entry { width: width(&blocks), blocks, cell: Arc::default() }
            }
        };
        let all: usize = tables.blocks().iter().map(|block| block.width()).sum();
        let room = all.max(SMALL / (4 * tables.n_items().max(1)));
        let mut left = room.saturating_sub(entry.width);
        let keep = entries.iter().rev().take_while(|entry| {
            let fits = entry.width <= left;
            left = left.saturating_sub(entry.width);
            fits
        });
        let gone = entries.len() - keep.count();
        entries.drain(..gone);
        let found = (entry.blocks.clone(), entry.cell.clone());
        entries.push(entry);
        found
    }
}

/// The lock, also after a thread that held it has panicked: what it guards is whole between any two statements.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
