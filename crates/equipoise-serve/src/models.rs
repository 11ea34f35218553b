//! The models that are served, by name, with their shares of the traffic.

use crate::error::ServeError;
use crate::options::ModelSource;
use crate::stamp::Stamp;
use equipoise_recommend::{ModelName, ServedModel};
use std::sync::Arc;

/// Longest name of a model.
const LONGEST_NAME: usize = 64;

/// A model under its name.
#[derive(Clone, Debug)]
pub struct Served {
    /// Where it came from, and its share.
    pub source: ModelSource,
    /// The model.
    pub model: ServedModel,
    /// What its files were when it was opened.
    pub(crate) stamp: Stamp,
}

impl Served {
    /// Opens a model.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(crate) fn open(source: &ModelSource) -> Result<Served, ServeError> {
        // Before the files are read: a change meanwhile shows at the next look.
        let stamp = Stamp::of(&source.path);
        Ok(Served { source: source.clone(), model: ServedModel::open(&source.path)?, stamp })
    }

    /// Which model it is, under the name that it is served by.
    pub fn name(&self) -> ModelName {
        ModelName { name: self.source.name.clone(), ..self.model.name().clone() }
    }
}

/// The models that are served at one moment. A change makes another value of this type.
#[derive(Clone, Debug)]
pub struct Models {
    served: Vec<Arc<Served>>,
}

impl Models {
    /// Opens all models.
    ///
    /// # Errors
    /// No model, a name that is none or occurs twice, a share below 0 or all shares 0, a model that cannot be opened.
    pub fn open(sources: &[ModelSource]) -> Result<Models, ServeError> {
        check(sources)?;
        let open = |source: &ModelSource| Served::open(source).map(Arc::new);
        Ok(Models { served: sources.iter().map(open).collect::<Result<_, ServeError>>()? })
    }

    /// All models, in the order in which they were given.
    pub fn all(&self) -> &[Arc<Served>] {
        &self.served
    }

    /// The model that answers what names no model and no user.
    pub fn first(&self) -> &Arc<Served> {
        &self.served[0]
    }

    /// The model of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Served>> {
        self.served.iter().find(|served| served.source.name == name)
    }

    /// The model that answers this user: always the same as long as names and shares are.
    pub fn of_user(&self, user: &str) -> &Arc<Served> {
        let total: f64 = self.served.iter().map(|served| served.source.share).sum();
        let hash = blake3::hash(user.as_bytes());
        let (first, _) = hash.as_bytes().split_first_chunk::<8>().expect("a hash has 32 bytes");
        // 53 bits, which a double holds exactly.
        let mut place = (u64::from_le_bytes(*first) >> 11) as f64 / (1u64 << 53) as f64 * total;
        for served in &self.served {
            place -= served.source.share;
            if place < 0.0 {
                return served;
            }
        }
        self.served.iter().rfind(|served| served.source.share > 0.0).expect("one share is above 0")
    }
}

impl Models {
    /// The same with another model in place of the one of its name.
    pub(crate) fn with(&self, new: &Arc<Served>) -> Models {
        let put =
            |old: &Arc<Served>| if old.source.name == new.source.name { new.clone() } else { old.clone() };
        Models { served: self.served.iter().map(put).collect() }
    }

    /// The models whose shares of the traffic are above 0.
    pub(crate) fn sharing(&self) -> usize {
        self.served.iter().filter(|served| served.source.share > 0.0).count()
    }
}

fn check(sources: &[ModelSource]) -> Result<(), ServeError> {
    if sources.is_empty() {
        return Err(ServeError::setting("MODEL", "no model; give a run or a served model"));
    }
    for (place, ModelSource { name, share, .. }) in sources.iter().enumerate() {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let named = !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(plain);
        if !named || name.starts_with('.') {
            let problem = format!("the name {name:?}, expected letters, digits, `-`, `_` and `.`");
            return Err(ServeError::setting("NAME=MODEL", problem));
        }
        if sources[..place].iter().any(|other| other.name == *name) {
            return Err(ServeError::setting(
                "NAME=MODEL",
                format!("two models are called {name:?}; name them NAME=MODEL"),
            ));
        }
        if !(share.is_finite() && *share >= 0.0) {
            return Err(ServeError::setting(
                "--share",
                format!("{name}={share}, expected a number from 0 on"),
            ));
        }
    }
    if sources.iter().any(|source| source.share > 0.0) {
        Ok(())
    } else {
        Err(ServeError::setting("--share", "every share is 0; give one model a share above 0"))
    }
}
