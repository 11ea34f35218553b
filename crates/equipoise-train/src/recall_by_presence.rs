//! How well held-out items are found that have a modality, and those that lack it.
//!
//! ```text
//! recall@k of group g = mean over users u with G_u ∩ g not empty of |top k of u ∩ G_u ∩ g| / |G_u ∩ g|
//! ```
//!
//! `G_u` are the held-out items of `u`; the ranking is that of the whole evaluation, over all candidates. The users of
//! the two groups differ, so that the two values are each to be compared with the same value of another model, not
//! with each other.

use crate::evaluation::Metrics;
use equipoise_data::{Dataset, Interactions};
use equipoise_eval::{EvalConfig, EvalError, Evaluation, MetricName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One group of items.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemGroup {
    /// Items of the catalogue in it.
    pub items: usize,
    /// Held-out interactions with them.
    pub interactions: usize,
    /// Users with such interactions: those that the means are over.
    pub users: usize,
    /// Recall at each cut-off; empty without held-out interactions.
    pub metrics: Metrics,
}

/// Items that have a modality and items that lack it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Presence {
    /// Items that have it.
    pub has: ItemGroup,
    /// Items that lack it.
    pub lacks: ItemGroup,
}

/// The groups of each modality that some items are known to lack. `measure` evaluates the model on held-out
/// interactions.
///
/// # Errors
/// Those of `measure`.
pub fn by_modality(
    data: &Dataset,
    held_out: &Interactions,
    config: &EvalConfig,
    measure: impl Fn(&Interactions, &EvalConfig) -> Result<Evaluation, EvalError>,
) -> Result<BTreeMap<String, Presence>, EvalError> {
    let config = EvalConfig { metrics: vec![MetricName::Recall], ..config.clone() };
    let group = |items: usize, of_group: Interactions| -> Result<ItemGroup, EvalError> {
        let interactions = of_group.len();
        if interactions == 0 {
            return Ok(ItemGroup { items, ..ItemGroup::default() });
        }
        let found = measure(&of_group, &config)?;
        Ok(ItemGroup { items, interactions, users: found.evaluated_users, metrics: found.metrics })
    };
    let mut groups = BTreeMap::new();
    for modality in &data.modalities {
        let Some(missing) = modality.missing.as_ref().filter(|missing| !missing.is_empty()) else {
            continue;
        };
        let has = group(data.n_items() - missing.len(), held_out.of_items(|item| !missing.contains(item)))?;
        let lacks = group(missing.len(), held_out.of_items(|item| missing.contains(item)))?;
        groups.insert(modality.name.clone(), Presence { has, lacks });
    }
    Ok(groups)
}

/// What the values mean, where there are any.
pub fn definition(groups: &BTreeMap<String, Presence>) -> Option<(String, String)> {
    let meaning = "recall over the held-out items that have (lack) the modality: hits among them in the top k over \
                   their number, mean over users with such items; the ranking is over all candidates";
    (!groups.is_empty()).then(|| ("presence".to_owned(), meaning.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_data::{Features, Missing, Modality, Vocabulary};
    use equipoise_eval::{Embeddings, evaluate};

    #[test]
    fn recall_is_measured_over_the_items_of_each_group_in_one_ranking() {
        // Everyone ranks 0, 1, 2, 3. Items 1 and 3 lack the modality.
        let held_out = Interactions::from_pairs(3, 4, &[(0, 0), (0, 1), (0, 3), (1, 3), (2, 2)]).0;
        let train = Interactions::from_pairs(3, 4, &[(1, 0), (2, 0)]).0;
        let ids = |n: u32| (0..n).map(|i| i.to_string()).collect();
        let features = Features::new(4, 1, vec![1.0; 4]).expect("finite");
        let missing = Some(Missing::new(vec![1, 3]));
        let data = Dataset {
            name: "tiny".into(),
            format: "none".into(),
            vocabulary: Vocabulary::new(ids(3), ids(4)).expect("distinct"),
            validation: train.clone(),
            train: train.clone(),
            modalities: vec![
                Modality { missing, ..Modality::new("image", features.clone()) },
                Modality::new("text", features),
            ],
            categories: None,
            notes: Vec::new(),
        };
        let model = Embeddings::new(&[1.0; 3], &[4.0, 3.0, 2.0, 1.0], 1).expect("finite");
        let config = EvalConfig { ks: vec![2], ..EvalConfig::default() };
        let measure = |part: &Interactions, config: &EvalConfig| evaluate(&model, part, &[&train], config);
        let groups = by_modality(&data, &held_out, &config, measure).expect("evaluates");
        assert_eq!(groups.keys().collect::<Vec<_>>(), ["image"]);
        let Presence { has, lacks } = &groups["image"];
        // Top 2 of user 0: 0, 1; of users 1 and 2: 1, 2.
        assert_eq!((has.items, has.interactions, has.users), (2, 2, 2));
        assert_eq!(has.metrics["recall@2"], 1.0);
        assert_eq!((lacks.items, lacks.interactions, lacks.users), (2, 3, 2));
        assert_eq!(lacks.metrics["recall@2"], (0.5 + 0.0) / 2.0);
        assert!(definition(&groups).is_some() && definition(&BTreeMap::new()).is_none());
    }
}
