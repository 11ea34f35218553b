//! What is made once for each choice of blocks.

use crate::error::RecommendError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Values by the blocks that they are made of, each made when first asked for; who asks for others does not wait for it.
pub(crate) struct ByBlocks<T>(Mutex<HashMap<Vec<usize>, Cell<T>>>);

/// One value, once it is made.
type Cell<T> = Arc<Mutex<Option<Arc<T>>>>;

impl<T> Default for ByBlocks<T> {
    fn default() -> ByBlocks<T> {
        ByBlocks(Mutex::default())
    }
}

impl<T> ByBlocks<T> {
    /// The value of these blocks.
    ///
    /// # Errors
    /// What `make` says.
    pub(crate) fn get(
        &self,
        blocks: &[usize],
        make: impl FnOnce() -> Result<T, RecommendError>,
    ) -> Result<Arc<T>, RecommendError> {
        let cell = {
            // What a lock guards is whole between any two statements, also if a thread that held it has panicked.
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            cells.entry(blocks.to_vec()).or_default().clone()
        };
        let mut made = cell.lock().unwrap_or_else(PoisonError::into_inner);
        match &*made {
            Some(found) => Ok(found.clone()),
            None => Ok(made.insert(Arc::new(make()?)).clone()),
        }
    }
}
