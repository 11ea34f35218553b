//! What each user has met: what a list leaves out.

use crate::served::ServedModel;
use equipoise_data::Interactions;

/// `train`, then `validation`: the names of the splits, and their pairs.
pub(super) fn splits(model: &ServedModel) -> [(&'static str, &Interactions); 2] {
    [("train", model.tables().train()), ("validation", model.tables().validation())]
}

/// The items that a user has met in train and validation, ascending.
pub(super) fn of_user(model: &ServedModel, user: u32) -> Vec<u32> {
    let sets = splits(model).map(|(_, set)| set.items_of(user));
    let mut items: Vec<u32> = sets.into_iter().flatten().copied().collect();
    items.sort_unstable();
    items.dedup();
    items
}
