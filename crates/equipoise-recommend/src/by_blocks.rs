//! What is made once for each choice of blocks.

use crate::error::RecommendError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Values by the blocks that they are made of, each made when first asked for.
pub(crate) struct ByBlocks<T>(Mutex<HashMap<Vec<usize>, Arc<T>>>);

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
        let mut made = self.0.lock().expect("no thread panics while it holds the lock");
        if let Some(found) = made.get(blocks) {
            return Ok(found.clone());
        }
        let value = Arc::new(make()?);
        made.insert(blocks.to_vec(), value.clone());
        Ok(value)
    }
}
