//! What stands in the rows of items that lack a modality. Readers only say which items those are.

use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::features::{Features, Modality};
use crate::interactions::Interactions;
use crate::mean_row::MeanRow;
use crate::missing::Missing;

/// What a model sees of items that lack a modality (`data.missing`). `P` is the set of items that have it.
///
/// | name | row of a missing item |
/// |---|---|
/// | `mean` | `1/|P| sum over j in P of e_j` |
/// | `zero` | 0 |
/// | `neighbours` | `sum over j in P of c_ij e_j / sum over j in P of c_ij` with `c_ij` the number of users who met both `i` and `j` in train; the mean where no such user exists |
///
/// `mean` makes a missing item look like an ablated one. `neighbours` follows Malitesta et al., *Do We Really Need to
/// Drop Items with Missing Modalities in Multimodal Recommendation?*, CIKM 2024 (neighbour mean over the item-item
/// projection of the train graph, here weighted by the number of shared users).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingFill {
    /// The mean of the items that have the modality.
    #[default]
    Mean,
    /// Zeros.
    Zero,
    /// The mean of the items that have the modality and share train users with the item.
    Neighbours,
}

impl MissingFill {
    /// Name in settings.
    pub fn name(self) -> &'static str {
        match self {
            MissingFill::Mean => "mean",
            MissingFill::Zero => "zero",
            MissingFill::Neighbours => "neighbours",
        }
    }
}

impl Dataset {
    /// The same data with the rows of missing items filled in, and a note for each modality that lacks some.
    /// Whatever the files hold in the rows of missing items is not looked at.
    #[must_use]
    pub fn filled(mut self, fill: MissingFill) -> Dataset {
        let known = self.modalities.iter().any(|m| m.missing.is_some());
        if !known && fill != MissingFill::default() {
            let name = fill.name();
            self.notes.push(format!(
                "No modality has a list of missing items: data.missing = {name} changes nothing."
            ));
        }
        for modality in &mut self.modalities {
            let Some(missing) = modality.missing.clone().filter(|missing| !missing.is_empty()) else {
                continue;
            };
            modality.features = replaced(modality, &missing, fill, &self.train);
            let shown = match fill {
                MissingFill::Mean => "the mean of the others",
                MissingFill::Zero => "zeros",
                MissingFill::Neighbours => "the mean of items that share users with them",
            };
            let (name, count) = (&modality.name, missing.len());
            self.notes.push(format!("{name}: items marked missing, for which models see {shown}: {count}."));
        }
        self
    }
}

fn replaced(modality: &Modality, missing: &Missing, fill: MissingFill, train: &Interactions) -> Features {
    let features = &modality.features;
    let (rows, width) = (features.rows(), features.width());
    let mean = mean(features, missing);
    let users = match fill {
        MissingFill::Neighbours => users_of(train, missing),
        MissingFill::Mean | MissingFill::Zero => Vec::new(),
    };
    let mut values = features.values().into_owned();
    for (n, &item) in missing.items().iter().enumerate() {
        let row = match fill {
            MissingFill::Mean => mean.clone(),
            MissingFill::Zero => vec![0.0; width],
            MissingFill::Neighbours => {
                neighbours(features, missing, train, &users[n]).unwrap_or_else(|| mean.clone())
            }
        };
        values[item as usize * width..(item as usize + 1) * width].copy_from_slice(&row);
    }
    Features::new(rows, width, values).expect("means of finite rows are finite")
}

/// Mean row of the items that have the modality; zeros where none has it.
fn mean(features: &Features, missing: &Missing) -> Vec<f32> {
    let present = (0..features.rows() as u32).filter(|&item| !missing.contains(item));
    weighted(features, present.map(|item| (item, 1.0))).unwrap_or_else(|| vec![0.0; features.width()])
}

/// Weighted mean of the rows of items, in the order given; `None` without rows.
fn weighted(features: &Features, items: impl Iterator<Item = (u32, f64)>) -> Option<Vec<f32>> {
    let mut mean = MeanRow::new(features.width());
    items.for_each(|(item, weight)| mean.add_weighted(&features.row(item as usize), weight));
    mean.mean()
}

/// The rows of items whose features came by id: item `i` has row `row_of[i]` of `features`, and an item without a row
/// gets the mean of the rows of the others. `None` if no item has a row.
pub(crate) fn rows_of_items(features: &Features, row_of: &[Option<usize>]) -> Option<Vec<f32>> {
    let mut mean = MeanRow::new(features.width());
    row_of.iter().flatten().for_each(|&row| mean.add(&features.row(row)));
    let mean = mean.mean()?;
    let mut values = Vec::with_capacity(row_of.len() * features.width());
    for row in row_of {
        match row {
            Some(row) => values.extend_from_slice(&features.row(*row)),
            None => values.extend_from_slice(&mean),
        }
    }
    Some(values)
}

/// Train users of each missing item.
fn users_of(train: &Interactions, missing: &Missing) -> Vec<Vec<u32>> {
    let mut users = vec![Vec::new(); missing.len()];
    for (user, item) in train.pairs() {
        if let Ok(place) = missing.items().binary_search(&item) {
            users[place].push(user);
        }
    }
    users
}

/// Mean of the items that these users met and that have the modality, weighted by how many of them did.
fn neighbours(
    features: &Features,
    missing: &Missing,
    train: &Interactions,
    users: &[u32],
) -> Option<Vec<f32>> {
    let met = users.iter().flat_map(|&user| train.items_of(user));
    let mut met: Vec<u32> = met.copied().filter(|&item| !missing.contains(item)).collect();
    met.sort_unstable();
    weighted(features, met.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as f64)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Vocabulary;

    /// Items 1 and 4 lack the modality; 1 shares users 0 and 1 with items 0 (twice) and 2, 4 with nobody.
    fn data() -> Dataset {
        let ids = |n: u32| (0..n).map(|i| i.to_string()).collect();
        let features = Features::new(5, 1, vec![2.0, 99.0, 5.0, 11.0, -99.0]).expect("finite");
        let train = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 3)];
        Dataset {
            name: "tiny".into(),
            format: "lattice".into(),
            vocabulary: Vocabulary::new(ids(3), ids(5)).expect("distinct"),
            train: Interactions::from_pairs(3, 5, &train).0,
            validation: Interactions::from_pairs(3, 5, &[(2, 4)]).0,
            modalities: vec![Modality {
                missing: Some(Missing::new(vec![4, 1])),
                ..Modality::new("image", features)
            }],
            categories: None,
            notes: Vec::new(),
        }
    }

    #[test]
    fn rows_of_missing_items_follow_their_definitions_and_no_other_row_changes() {
        for (fill, first, second) in [
            (MissingFill::Mean, 6.0, 6.0),
            (MissingFill::Zero, 0.0, 0.0),
            (MissingFill::Neighbours, 3.0, 6.0),
        ] {
            let filled = data().filled(fill);
            assert_eq!(
                filled.modalities[0].features.values()[..],
                [2.0, first, 5.0, 11.0, second],
                "{fill:?}"
            );
            assert!(filled.notes[0].ends_with(": 2."), "{:?}", filled.notes);
            assert_ne!(filled.fingerprint(), data().fingerprint());
        }
    }

    #[test]
    fn an_item_without_a_row_gets_the_mean_of_the_rows_that_items_have() {
        let features = Features::new(3, 1, vec![1.0, 2.0, 9.0]).expect("finite");
        let rows = rows_of_items(&features, &[Some(1), None, Some(0)]);
        assert_eq!(rows, Some(vec![2.0, 1.5, 1.0]));
        assert_eq!(rows_of_items(&features, &[None]), None);
    }

    #[test]
    fn held_out_interactions_have_no_say_in_what_neighbours_are() {
        let mut other = data();
        other.validation = Interactions::from_pairs(3, 5, &[(0, 4), (1, 3)]).0;
        let fill = |data: Dataset| data.filled(MissingFill::Neighbours).modalities[0].features.clone();
        assert!(fill(data()) == fill(other));
    }

    #[test]
    fn without_a_list_nothing_changes_and_a_setting_without_effect_is_said() {
        let mut plain = data();
        plain.modalities[0].missing = None;
        let filled = plain.clone().filled(MissingFill::Zero);
        assert_eq!(filled.fingerprint(), plain.fingerprint());
        assert!(filled.notes[0].contains("changes nothing"), "{:?}", filled.notes);
        assert!(plain.filled(MissingFill::Mean).notes.is_empty());
    }
}
