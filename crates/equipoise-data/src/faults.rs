//! Gathering faults: all of them, or the first.

use crate::error::DataError;

/// Gathers faults while a layout is read: all of them when checking, only the first when loading.
#[derive(Debug, Default)]
pub struct Faults {
    keep_going: bool,
    pub(crate) found: Vec<DataError>,
}

impl Faults {
    /// Faults of one kind that are listed one by one; the others are counted.
    pub const LISTED: usize = 20;

    /// A collector that never stops.
    pub fn collect_all() -> Faults {
        Faults { keep_going: true, found: Vec::new() }
    }

    /// A collector that hands the first fault back as an error.
    pub fn stop_at_first() -> Faults {
        Faults::default()
    }

    /// Notes a fault.
    ///
    /// # Errors
    /// The fault itself, when loading.
    pub fn add(&mut self, fault: DataError) -> Result<(), DataError> {
        if !self.keep_going {
            return Err(fault);
        }
        self.found.push(fault);
        Ok(())
    }

    /// Unwraps a result, noting its fault.
    ///
    /// # Errors
    /// The fault itself, when loading.
    pub fn keep<T>(&mut self, result: Result<T, DataError>) -> Result<Option<T>, DataError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(fault) => self.add(fault).map(|()| None),
        }
    }

    /// Notes many faults of one kind: the first [`LISTED`](Self::LISTED) each, the others as a number.
    ///
    /// # Errors
    /// The first fault, when loading.
    pub fn add_all(
        &mut self,
        faults: impl IntoIterator<Item = DataError>,
        origin: &str,
        kind: &'static str,
    ) -> Result<(), DataError> {
        let mut faults = faults.into_iter();
        for fault in faults.by_ref().take(Self::LISTED) {
            self.add(fault)?;
        }
        let origin = origin.to_owned();
        match faults.count() {
            0 => Ok(()),
            count => self.add(DataError::More { origin, count, kind }),
        }
    }
}
