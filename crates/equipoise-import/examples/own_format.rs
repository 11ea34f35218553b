//! A layout of one's own: one line of JSON for each rating, and features beside it.

use equipoise_data::formats::{
    Faults, Format, FormatEntry, Gathered, GatheredSplit, Interner, ReadRequest, directory_name,
    read_features, register,
};
use equipoise_data::{DataError, LineFault, Lines};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// `likes.jsonl` and `<modality>_feat.npz` with the raw item ids.
pub struct Likes;

/// What the layout leaves open: a section of its own. Other keys are refused.
#[derive(Default, Serialize, Deserialize)]
pub struct LikesOptions {
    /// Ratings below are left out.
    least_stars: u8,
}

#[derive(Deserialize)]
struct Rating {
    user: String,
    item: String,
    stars: u8,
    split: usize,
}

impl Format for Likes {
    type Options = LikesOptions;

    fn name(&self) -> &'static str {
        "likes"
    }

    fn describe(&self) -> &'static str {
        "likes.jsonl ({\"user\", \"item\", \"stars\", \"split\": 0, 1 or 2}) and <modality>_feat.npz"
    }

    fn detect(&self, path: &Path) -> bool {
        path.join("likes.jsonl").is_file()
    }

    fn gather(
        &self,
        request: &ReadRequest<'_>,
        options: &LikesOptions,
        faults: &mut Faults,
    ) -> Result<Gathered, DataError> {
        let file = request.path.join("likes.jsonl");
        let (mut users, mut items, mut pairs) =
            (Interner::default(), Interner::default(), [vec![], vec![], vec![]]);
        let mut lines = Lines::open(&file)?;
        while lines.advance()? {
            let rating = serde_json::from_slice::<Rating>(lines.text()).ok().filter(|r| r.split < 3);
            let fault = || {
                lines.fault(LineFault::whole("expected user, item, stars and split 0, 1 or 2; correct it"))
            };
            let Some(rating) = faults.keep(rating.ok_or_else(fault))? else { continue };
            if rating.stars >= options.least_stars {
                let pair = users.index(&rating.user).zip(items.index(&rating.item));
                pairs[rating.split].push(pair.expect("fewer lines than 2^32"));
            }
        }
        let mut notes = Vec::new();
        let modalities = read_features(request.path, request, Some(items.ids()), faults, &mut notes)?;
        let origin = file.display().to_string();
        Ok(Gathered::new(directory_name(request.path), "likes")
            .with_splits(pairs.map(|pairs| Some(GatheredSplit::new(origin.clone(), pairs, Vec::new()))))
            .with_users(&file, users.ids().to_vec())
            .with_items(&file, items.ids().to_vec())
            .with_modalities(modalities)
            .with_notes(notes))
    }
}

fn main() -> Result<(), DataError> {
    register(FormatEntry::new(Likes))?;
    let path = std::env::args().nth(1).unwrap_or_else(|| "my-likes".into());
    println!("{}", equipoise_data::check(Path::new(&path), &equipoise_data::LoadOptions::default()));
    Ok(())
}
