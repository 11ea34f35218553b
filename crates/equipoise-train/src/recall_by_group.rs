//! How well a model does for items that are chosen often and seldom or have and lack a modality, and for users of whom much and
//! little is known.
//!
//! # Items
//! ```text
//! recall@k of group g = mean over users u with G_u ∩ g not empty of |top k of u ∩ G_u ∩ g| / |G_u ∩ g|
//! ```
//! `G_u` are the held-out items of `u`; the ranking is that of the whole evaluation, over all candidates.
//!
//! By popularity an item with `c` train interactions is in group `floor(3 n(c) / n)` of `n` train interactions, `n(c)` of which are with
//! items that have fewer than `c`: three groups of about as many interactions each, and items of equal popularity in one of them. Items
//! without train interactions are a group of their own: there ids know nothing, and content has to speak. By presence the items that
//! have a modality are a group, and those that lack it another.
//!
//! # Users
//! A user with `c` train interactions is in group `floor(3 m(c) / m)` of the `m` evaluated users, `m(c)` of whom have fewer; the metrics
//! are means over the users of a group.
//!
//! Groups differ in their users and in what there is to be found. A value is to be compared with the same value of another model, not with
//! another group's.

use crate::evaluation::Metrics;
use equipoise_data::{Dataset, Interactions};
use equipoise_eval::{EvalConfig, EvalError, Evaluation, MetricName, PerUser};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Items or users with similar numbers of train interactions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CountGroup {
    /// `cold`, `rare`, `middle`, `popular` for items; `short`, `middle`, `long` for the histories of users.
    pub name: String,
    /// Fewest and most train interactions of its members.
    pub counts: [u32; 2],
    /// Items of the catalogue, or users with held-out items.
    pub members: usize,
    /// Held-out interactions.
    pub interactions: usize,
    /// Users that the means are over.
    pub users: usize,
    /// Metrics at each cut-off: recall for items, all for users.
    pub metrics: Metrics,
}

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

/// Groups of items and of users; those without held-out interactions are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecallByGroup {
    /// Items, the least popular first.
    pub popularity: Vec<CountGroup>,
    /// Users, the shortest histories first.
    pub history: Vec<CountGroup>,
}

impl RecallByGroup {
    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.popularity.is_empty() && self.history.is_empty()
    }
}

/// The thirds of these counts, each count weighing as much as `weight` says: for each of them the third that it is in.
fn thirds(counts: &[u32], weight: impl Fn(u32) -> u64) -> Vec<usize> {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let total: u64 = counts.iter().map(|&c| weight(c)).sum();
    let before: Vec<u64> = std::iter::once(0)
        .chain(sorted.iter().scan(0, |sum, &c| {
            *sum += weight(c);
            Some(*sum)
        }))
        .collect();
    let place = |&count: &u32| {
        let fewer = sorted.partition_point(|&c| c < count);
        (3 * before[fewer] / total.max(1)).min(2) as usize
    };
    counts.iter().map(place).collect()
}

/// The fewest and the most.
fn span(counts: impl Iterator<Item = u32>) -> [u32; 2] {
    counts.fold([u32::MAX, 0], |[least, most], c| [least.min(c), most.max(c)])
}

/// The group of each item: 0 for items without train interactions, then the thirds.
fn groups_of_items(counts: &[u32]) -> Vec<usize> {
    let known: Vec<u32> = counts.iter().copied().filter(|&c| c > 0).collect();
    let mut of_known = thirds(&known, u64::from).into_iter();
    let group =
        |&count: &u32| if count == 0 { 0 } else { 1 + of_known.next().expect("one for each known item") };
    counts.iter().map(group).collect()
}

/// Recall apart for items of each popularity. `measure` evaluates the model on held-out interactions.
///
/// # Errors
/// Those of `measure`.
pub fn by_popularity(
    train: &Interactions,
    held_out: &Interactions,
    config: &EvalConfig,
    measure: impl Fn(&Interactions, &EvalConfig) -> Result<Evaluation, EvalError>,
) -> Result<Vec<CountGroup>, EvalError> {
    let counts = train.item_counts();
    let place = groups_of_items(&counts);
    let mut groups = Vec::new();
    for (g, name) in ["cold", "rare", "middle", "popular"].into_iter().enumerate() {
        let of_group = held_out.of_items(|item| place[item as usize] == g);
        let Some(found) = recall(&of_group, config, &measure)? else { continue };
        let members = || counts.iter().zip(&place).filter(|(_, p)| **p == g).map(|(c, _)| *c);
        groups.push(CountGroup {
            name: name.to_owned(),
            counts: span(members()),
            members: members().count(),
            interactions: of_group.len(),
            users: found.evaluated_users,
            metrics: found.metrics,
        });
    }
    Ok(groups)
}

/// Recall apart for items that have a modality and for those that lack it, for each modality that some items are known to lack.
/// `measure` evaluates the model on held-out interactions.
///
/// # Errors
/// Those of `measure`.
pub fn by_modality(
    data: &Dataset,
    held_out: &Interactions,
    config: &EvalConfig,
    measure: impl Fn(&Interactions, &EvalConfig) -> Result<Evaluation, EvalError>,
) -> Result<BTreeMap<String, Presence>, EvalError> {
    let group = |items: usize, of_group: Interactions| -> Result<ItemGroup, EvalError> {
        let found = recall(&of_group, config, &measure)?;
        let (users, metrics) = found.map(|found| (found.evaluated_users, found.metrics)).unwrap_or_default();
        Ok(ItemGroup { items, interactions: of_group.len(), users, metrics })
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

/// Recall over these held-out interactions; `None` without any.
fn recall(
    of_group: &Interactions,
    config: &EvalConfig,
    measure: impl Fn(&Interactions, &EvalConfig) -> Result<Evaluation, EvalError>,
) -> Result<Option<Evaluation>, EvalError> {
    let config = EvalConfig { metrics: vec![MetricName::Recall], ..config.clone() };
    (!of_group.is_empty()).then(|| measure(of_group, &config)).transpose()
}

/// Metrics apart for users with short and long histories, from those of every user.
pub fn by_history(train: &Interactions, held_out: &Interactions, per_user: &PerUser) -> Vec<CountGroup> {
    let counts: Vec<u32> = per_user.users.iter().map(|&u| train.items_of(u).len() as u32).collect();
    let place = thirds(&counts, |_| 1);
    let group = |(g, name): (usize, &str)| {
        let rows: Vec<usize> = (0..counts.len()).filter(|&row| place[row] == g).collect();
        let mean = |values: &[f64]| rows.iter().map(|&row| values[row]).sum::<f64>() / rows.len() as f64;
        (!rows.is_empty()).then(|| CountGroup {
            name: name.to_owned(),
            counts: span(rows.iter().map(|&row| counts[row])),
            members: rows.len(),
            interactions: rows.iter().map(|&row| held_out.items_of(per_user.users[row]).len()).sum(),
            users: rows.len(),
            metrics: per_user.columns.iter().map(|(metric, values)| (metric.clone(), mean(values))).collect(),
        })
    };
    ["short", "middle", "long"].into_iter().enumerate().filter_map(group).collect()
}

/// What the values mean; those of modalities where there are any.
pub fn definitions(presence: &BTreeMap<String, Presence>) -> Vec<(String, String)> {
    let modalities = "recall over the held-out items that have (lack) the modality: hits among them in the top k over their number, \
                      mean over users with such items; the ranking is over all candidates";
    let counts = "items: thirds of train interactions by popularity, those without any apart; recall over the held-out items of a \
                  group, mean over users with such items, in the ranking over all candidates. Users: thirds by their number of train \
                  items; means over users";
    let modalities = (!presence.is_empty()).then(|| ("presence".to_owned(), modalities.to_owned()));
    modalities.into_iter().chain([("groups".to_owned(), counts.to_owned())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_data::{Features, Missing, Modality, Vocabulary};
    use equipoise_eval::{Embeddings, evaluate};

    #[test]
    fn recall_is_measured_over_the_items_of_each_group_in_one_ranking() {
        // Train interactions of items 0 to 4: 4, 1, 1, 2, 0. Of the 8, items 1 and 2 have 2, item 3 has 2 and item 0 has 4.
        let train = [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 2), (2, 3), (3, 3)];
        let train = Interactions::from_pairs(5, 5, &train).0;
        assert_eq!(groups_of_items(&train.item_counts()), [2, 1, 1, 1, 0]);
        let held_out = Interactions::from_pairs(5, 5, &[(4, 0), (4, 1), (4, 4), (0, 3), (0, 4)]).0;
        // Everyone ranks 0, 1, 2, 3, 4.
        let model = Embeddings::new(&[1.0; 5], &[5.0, 4.0, 3.0, 2.0, 1.0], 1).unwrap();
        let config = EvalConfig { ks: vec![2], ..EvalConfig::default() };
        let measure = |part: &Interactions, config: &EvalConfig| evaluate(&model, part, &[&train], config);
        let groups = by_popularity(&train, &held_out, &config, measure).unwrap();
        let of = |g: &CountGroup| {
            (g.name.clone(), g.counts, g.members, g.interactions, g.users, g.metrics["recall@2"])
        };
        // Top 2 of user 4: 0, 1; of user 0, who has 0 and 1: 2, 3.
        let found: Vec<_> = groups.iter().map(of).collect();
        let wanted = [
            ("cold".to_owned(), [0, 0], 1, 2, 2, 0.0),
            ("rare".to_owned(), [1, 2], 3, 2, 2, 1.0),
            ("middle".to_owned(), [4, 4], 1, 1, 1, 1.0),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn items_that_have_a_modality_and_that_lack_it_are_measured_apart() {
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
        let names = |presence| definitions(presence).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(
            (names(&groups).join(" "), names(&BTreeMap::new()).join(" ")),
            ("presence groups".into(), "groups".into())
        );
    }

    #[test]
    fn users_are_grouped_by_their_histories_and_their_metrics_averaged() {
        let train = Interactions::from_pairs(4, 9, &[(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]).0;
        let held_out = Interactions::from_pairs(4, 9, &[(0, 5), (0, 6), (1, 5), (2, 5)]).0;
        let per_user =
            PerUser { users: vec![0, 1, 2], columns: vec![("recall@2".into(), vec![0.5, 1.0, 0.25])] };
        let groups = by_history(&train, &held_out, &per_user);
        let of =
            |g: &CountGroup| (g.name.clone(), g.counts, g.members, g.interactions, g.metrics["recall@2"]);
        let found: Vec<_> = groups.iter().map(of).collect();
        let wanted = [
            ("short".to_owned(), [1, 1], 1, 2, 0.5),
            ("middle".to_owned(), [2, 2], 1, 1, 1.0),
            ("long".to_owned(), [3, 3], 1, 1, 0.25),
        ];
        assert_eq!(found, wanted);
        assert_eq!(by_history(&train, &held_out, &PerUser::default()), []);
    }

    #[test]
    fn equal_counts_are_in_one_third_and_larger_ones_in_no_lower_one() {
        let mut stream = equipoise_data::Seed(1).stream("counts");
        for n in 1..60 {
            let counts: Vec<u32> = (0..n).map(|_| stream.below(9)).collect();
            for place in [thirds(&counts, |_| 1), thirds(&counts, u64::from)] {
                let pairs: Vec<(u32, usize)> = counts.iter().copied().zip(place).collect();
                assert!(pairs.iter().all(|(_, p)| *p < 3));
                for (a, p) in &pairs {
                    assert!(
                        pairs.iter().all(|(b, q)| if a == b { p == q } else { a > b || p <= q }),
                        "{pairs:?}"
                    );
                }
            }
        }
    }
}
