//! The layout of the LATTICE pipeline and its relatives.
//!
//! ```text
//! <dir>/5-core/train.json, val.json, test.json    {"<user>": [item, ...], ...}
//! <dir>/<modality>_feat.npy                       one row per item
//! <dir>/<modality>_missing.json                   optional: [items that lack it]
//! <dir>/5-core/user_list.txt, item_list.txt       optional: raw id <tab> index
//! <dir>/5-core/categories.json                    optional: {"<item>": "label" or [labels], ...}
//! ```
//!
//! The splits may also lie in `<dir>` itself, as the MMSSL family has them.

use std::path::{Path, PathBuf};

use super::entry::{Format, NoOptions, ReadRequest};
use super::files::directory_name;
use super::gathered::Gathered;
use super::{category_file, id_list, json_split, modality_files};
use crate::error::DataError;
use crate::faults::Faults;

/// `5-core/{train,val,test}.json` (or the same three files in the directory itself) and
/// `<modality>_feat.npy`; raw ids from `user_list.txt` and `item_list.txt` if there.
#[derive(Debug)]
pub struct Lattice;

const FILES: [&str; 3] = ["train.json", "val.json", "test.json"];

impl Lattice {
    fn splits_in(path: &Path) -> Option<PathBuf> {
        let core = path.join("5-core");
        if core.is_dir() {
            return Some(core);
        }
        FILES.iter().any(|f| path.join(f).is_file()).then(|| path.to_owned())
    }
}

impl Format for Lattice {
    type Options = NoOptions;

    fn name(&self) -> &'static str {
        "lattice"
    }

    fn describe(&self) -> &'static str {
        "5-core/{train,val,test}.json ({\"user\": [items]}) and <modality>_feat.npy"
    }

    fn detect(&self, path: &Path) -> bool {
        Self::splits_in(path).is_some()
    }

    fn gather(
        &self,
        request: &ReadRequest<'_>,
        _: &NoOptions,
        faults: &mut Faults,
    ) -> Result<Gathered, DataError> {
        let path = request.path;
        let dir = Self::splits_in(path).unwrap_or_else(|| path.join("5-core"));
        let mut splits = [None, None, None];
        for (split, file) in splits.iter_mut().zip(FILES) {
            *split = json_split::read(&dir.join(file), faults)?;
        }
        let users = id_list::read(&dir.join("user_list.txt"), faults)?;
        let items = id_list::read(&dir.join("item_list.txt"), faults)?;
        let listed = items.as_ref().map(|(_, ids)| &ids[..]);
        let mut notes = Vec::new();
        Ok(Gathered {
            name: directory_name(path),
            format: Format::name(self).into(),
            splits,
            modalities: modality_files::read(path, request, listed, faults, &mut notes)?,
            users,
            items,
            categories: category_file::read(&dir, faults)?,
            notes,
            ..Gathered::default()
        })
    }
}
