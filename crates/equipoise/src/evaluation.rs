//! Metrics of embeddings from anywhere.

use crate::Error;
use equipoise_data::Interactions;
use equipoise_eval::{Embeddings, EvalConfig, Evaluation};

/// Metrics of embeddings from anywhere, `score(u, i) = <users[u], items[i]>`, under the protocol of this library: every item
/// is ranked, those of the user in `train` left out, and `test` holds what should come first.
///
/// Both tables hold one row for each user and item of the interactions, of any equal width, row after row.
///
/// # Errors
/// If a table does not fit the interactions, a value is not finite, a setting is out of range, or nothing is held out.
///
/// ```
/// use equipoise::prelude::*;
/// let train = Interactions::from_pairs(2, 3, &[(0, 2), (1, 0)]).0;
/// let test = Interactions::from_pairs(2, 3, &[(0, 1), (1, 1)]).0;
/// let config = EvalConfig { ks: vec![1], ..EvalConfig::default() };
/// let result = equipoise::evaluate(&[1.0, 1.0], &[0.1, 0.2, 0.3], &train, &test, &config)?;
/// assert_eq!(result.metrics["recall@1"], 0.5);
/// # Ok::<(), equipoise::Error>(())
/// ```
pub fn evaluate(
    users: &[f32],
    items: &[f32],
    train: &Interactions,
    test: &Interactions,
    config: &EvalConfig,
) -> Result<Evaluation, Error> {
    let width = users.len().checked_div(train.n_users()).unwrap_or(0);
    let tables = [("users", users, train.n_users()), ("items", items, train.n_items())];
    for (table, values, rows) in tables {
        if width == 0 || values.len() != rows * width {
            return Err(Error::Shape { table, found: values.len(), rows });
        }
    }
    Ok(equipoise_eval::evaluate(&Embeddings::new(users, items, width)?, test, &[train], config)?)
}
