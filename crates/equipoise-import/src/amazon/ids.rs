//! Raw ids numbered by first appearance.

use std::collections::HashMap;
use std::sync::Arc;

use equipoise_data::{LineFault, quoted};

/// Raw ids of one kind by index. Each is held once: by its name and the table that finds it.
#[derive(Default)]
pub(crate) struct Ids {
    index: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
}

impl Ids {
    /// The index of a raw id, a new one if it was not seen before.
    pub(crate) fn intern(&mut self, raw: &str) -> Result<u32, LineFault> {
        if let Some(&index) = self.index.get(raw) {
            return Ok(index);
        }
        let index = u32::try_from(self.names.len()).ok().filter(|&n| n < u32::MAX);
        let index = index
            .ok_or_else(|| LineFault::whole("more than 2^32 - 2 different ids; use part of the file"))?;
        let name: Arc<str> = raw.into();
        self.names.push(Arc::clone(&name));
        self.index.insert(name, index);
        Ok(index)
    }

    pub(crate) fn find(&self, raw: &str) -> Option<u32> {
        self.index.get(raw).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The ids at these old indices, in this order.
    pub(crate) fn select(mut self, kept: &[u32]) -> Ids {
        let names: Vec<Arc<str>> = kept.iter().map(|&old| Arc::clone(&self.names[old as usize])).collect();
        self.index.clear();
        self.index.extend(names.iter().cloned().zip(0..));
        Ids { index: self.index, names }
    }
}

/// Raw ids go into lists of one id a line.
pub(crate) fn checked(field: &str, raw: &str) -> Result<(), LineFault> {
    if raw.is_empty() || raw.chars().any(char::is_control) {
        let problem =
            format!("{field} is {}, expected text without control characters; correct it", quoted(raw));
        return Err(LineFault::whole(problem));
    }
    Ok(())
}
