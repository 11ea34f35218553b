//! What is known of a search, in memory: what stands in the place of the database in a program that was built without the
//! feature `search-store`.

use super::error::SearchError;
use super::trial::{Proposal, Record};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

/// What identifies a search: two with equal entries are the same.
pub type Identity = BTreeMap<String, String>;

/// The records of a search, forgotten with the process.
#[derive(Default)]
pub struct Journal {
    /// By number and rung.
    records: RefCell<BTreeMap<(usize, usize), Record>>,
}

impl Journal {
    /// A journal on disk, which this program was built without.
    ///
    /// # Errors
    /// Always.
    pub fn open(path: &Path, _identity: &Identity) -> Result<Journal, SearchError> {
        let reason = "this program was built without the feature `search-store`, so that searches are kept in memory alone";
        Err(SearchError::file(path, reason.to_owned()))
    }

    /// A journal that is forgotten with the process.
    pub fn in_memory() -> Journal {
        Journal::default()
    }

    /// The outcome of a proposal, if it was evaluated before.
    ///
    /// # Errors
    /// If the journal has another point under this number.
    pub fn outcome(&self, proposal: &Proposal) -> Result<Option<Record>, SearchError> {
        let found = self.records.borrow().get(&(proposal.number, proposal.rung)).cloned();
        match found {
            Some(record) if record.proposal != *proposal => {
                let reason = format!("trial {} is {} here", proposal.number, record.proposal.point);
                Err(SearchError::file(Path::new("memory"), reason))
            }
            found => Ok(found),
        }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If there is one of this trial.
    pub fn add(&self, record: &Record) -> Result<(), SearchError> {
        let key = (record.proposal.number, record.proposal.rung);
        match self.records.borrow_mut().insert(key, record.clone()) {
            None => Ok(()),
            Some(_) => {
                Err(SearchError::file(Path::new("memory"), format!("trial {} is recorded already", key.0)))
            }
        }
    }

    /// Number of the last trial that has a record.
    ///
    /// # Errors
    /// Never.
    pub fn last(&self) -> Result<Option<usize>, SearchError> {
        Ok(self.records.borrow().keys().map(|(number, _)| *number).max())
    }
}
