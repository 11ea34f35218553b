//! Where a model lies: a folder, or a name in the cache that the usual hub clients fill.

use std::path::{Path, PathBuf};

use crate::error::EncodeError;
use crate::job::HashedFile;

/// A model on this machine.
#[derive(Clone, Debug)]
pub(crate) struct ModelDir {
    /// Its folder.
    pub(crate) path: PathBuf,
    /// The snapshot, for a model from the cache.
    pub(crate) revision: Option<String>,
}

impl ModelDir {
    /// The model called `model`: a folder, or `org/name` (`org/name@revision`) in the hub's cache.
    ///
    /// # Errors
    /// If it is in neither place: the message says where it was sought and how to fetch it.
    pub(crate) fn find(model: &str) -> Result<ModelDir, EncodeError> {
        let (path, revision) = match Path::new(model) {
            folder if folder.is_dir() => (folder.to_owned(), None),
            file if file.is_file() => {
                let problem =
                    "a file, expected the folder of a model; give the folder that holds its config.json";
                return Err(EncodeError::file(file, problem));
            }
            _ => cached(model, &caches())?,
        };
        Ok(ModelDir { path, revision })
    }

    /// Hashes of these files of the folder; those that are not there are passed over.
    ///
    /// # Errors
    /// If one cannot be read.
    pub(crate) fn hashes(&self, files: &[PathBuf]) -> Result<Vec<HashedFile>, EncodeError> {
        let there = files.iter().filter(|file| file.is_file());
        there
            .map(|file| {
                let mut hasher = blake3::Hasher::new();
                let opened = std::fs::File::open(file).map_err(EncodeError::io(file))?;
                hasher.update_reader(opened).map_err(EncodeError::io(file))?;
                let name = file.strip_prefix(&self.path).unwrap_or(file).display().to_string();
                Ok(HashedFile { file: name, blake3: hasher.finalize().to_hex().to_string() })
            })
            .collect()
    }
}

/// The folders in which hub clients keep models, in the order in which they look.
fn caches() -> Vec<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // Of the account where $HOME is not set.
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let home = || home.map(|home| home.join(".cache/huggingface/hub"));
    match (set("HF_HUB_CACHE"), set("HF_HOME")) {
        (Some(cache), _) => vec![cache],
        (None, Some(home)) => vec![home.join("hub")],
        (None, None) => home().into_iter().collect(),
    }
}

/// The newest or named snapshot of `org/name` in the caches.
fn cached(model: &str, caches: &[PathBuf]) -> Result<(PathBuf, Option<String>), EncodeError> {
    let (name, revision) = match model.split_once('@') {
        Some((name, revision)) => (name, Some(revision)),
        None => (model, None),
    };
    let missing = |problem: String| EncodeError::NoModel { name: model.to_owned(), problem };
    let part = |p: &str| !p.is_empty() && !p.starts_with('.') && !p.contains(['\\', ':']);
    let well_formed = name.split('/').count() == 2 && name.split('/').all(part);
    if !well_formed {
        return Err(missing("no such folder, and no name of the form org/name; correct it".into()));
    }
    let folder = format!("models--{}", name.replace('/', "--"));
    for cache in caches {
        let base = cache.join(&folder);
        let wanted = revision.map(str::to_owned).or_else(|| {
            std::fs::read_to_string(base.join("refs/main")).ok().map(|text| text.trim().to_owned())
        });
        let snapshot = match wanted {
            Some(wanted) => Some(wanted),
            None => only_entry(&base.join("snapshots")),
        };
        if let Some(snapshot) = snapshot.filter(|s| part(s) && !s.contains('/')) {
            let path = base.join("snapshots").join(&snapshot);
            if path.is_dir() {
                return Ok((path, Some(snapshot)));
            }
        }
    }
    let sought: Vec<String> = caches.iter().map(|c| c.join(&folder).display().to_string()).collect();
    let sought = if sought.is_empty() {
        "no cache to seek in, since neither HF_HUB_CACHE, HF_HOME nor HOME is set".to_owned()
    } else {
        format!("sought in {}", sought.join(", "))
    };
    Err(missing(format!(
        "{sought}; fetch it where there is a network with \"hf download {name}\" (pip install huggingface_hub), or \
         give the folder that holds its config.json"
    )))
}

/// Name of the one entry of a directory.
fn only_entry(dir: &Path) -> Option<String> {
    let mut entries = std::fs::read_dir(dir).ok()?.flatten();
    let first = entries.next()?.file_name().to_string_lossy().into_owned();
    entries.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_the_cache_at_the_revision_that_main_names() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let base = dir.path().join("models--org--name");
        for snapshot in ["aaa", "bbb"] {
            std::fs::create_dir_all(base.join("snapshots").join(snapshot)).expect("made");
        }
        let caches = [dir.path().to_owned()];
        assert!(cached("org/name", &caches).is_err(), "two snapshots and no word of which");
        std::fs::create_dir_all(base.join("refs")).expect("made");
        std::fs::write(base.join("refs/main"), "bbb\n").expect("written");
        let (path, revision) = cached("org/name", &caches).expect("found");
        assert_eq!((path, revision.as_deref()), (base.join("snapshots/bbb"), Some("bbb")));
        assert_eq!(cached("org/name@aaa", &caches).expect("found").1.as_deref(), Some("aaa"));
    }

    #[test]
    fn what_is_nowhere_is_said_with_how_to_fetch_it() {
        let message = |name: &str| cached(name, &["/nowhere".into()]).expect_err("not there").to_string();
        assert!(message("org/name").contains("hf download org/name"));
        assert!(message("org/name").contains("/nowhere/models--org--name"));
        for name in ["name", "../name", "a/b/c", "org/"] {
            assert!(message(name).contains("org/name"), "{name}");
        }
    }
}
