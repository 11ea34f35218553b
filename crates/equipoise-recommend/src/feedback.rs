//! What users have met since a model was trained.

use crate::request::BasketItem;

/// What users have met since the model was trained. It is left out of their lists as what they met in training is, and moves
/// their rows; users that the model does not know become strangers with a basket.
pub trait Feedback: Sync {
    /// The items that a user has met, each once. An item of weight 0 is left out of lists and moves nothing.
    fn of(&self, user: &str) -> Vec<BasketItem>;
}

/// Nobody has met anything.
impl Feedback for () {
    fn of(&self, _user: &str) -> Vec<BasketItem> {
        Vec::new()
    }
}
