//! Categories of items, and how the small ones join larger ones.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Label of what is left without a category.
const NONE: &str = "none";

/// The category of each item as a path of labels, widest first: `["Baby", "Feeding", "Bottles"]`.
///
/// Cloning is cheap; the paths are shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Categories {
    paths: Arc<[Vec<String>]>,
}

impl Categories {
    /// One path per item, in the order of the items; an empty path for an item without a category.
    pub fn new(paths: Vec<Vec<String>>) -> Categories {
        Categories { paths: paths.into() }
    }

    /// The path of each item, widest label first, empty where there is no category.
    pub fn paths(&self) -> &[Vec<String>] {
        &self.paths
    }

    /// Categories of at least `min_count` items: their labels, and for each item the position of its own.
    ///
    /// An item belongs to the category at the end of its path. A category of fewer than `min_count` items
    /// hands them to its parent, the deepest categories first, so that a parent counts what it was handed.
    /// Above the widest labels stands `none`: items without a category are there from the start, and it
    /// alone may stay small. Equal labels under different parents are different categories.
    ///
    /// Labels are those of the path with ` > ` between them; `none` comes first, the others follow in the
    /// order of their paths. Every category has an item.
    ///
    /// ```
    /// use equipoise_data::Categories;
    /// let path = |labels: &[&str]| labels.iter().map(|l| l.to_string()).collect();
    /// let categories = Categories::new(vec![
    ///     path(&["Baby", "Bottles"]), path(&["Baby", "Cups"]), path(&[]), path(&["Baby", "Bottles"]),
    /// ]);
    /// let (labels, of_items) = categories.resolve(2);
    /// assert_eq!(labels, ["none", "Baby > Bottles"]); // "Cups" is small, and so is "Baby" with it
    /// assert_eq!(of_items, [1, 0, 0, 1]);
    /// ```
    pub fn resolve(&self, min_count: usize) -> (Vec<String>, Vec<u32>) {
        let mut of_items = vec![0; self.paths.len()];
        let mut labels = Vec::new();
        for (path, items) in self.merged(min_count) {
            for item in items {
                of_items[item] = labels.len() as u32;
            }
            labels.push(if path.is_empty() { NONE.into() } else { path.join(" > ") });
        }
        (labels, of_items)
    }

    /// Items by category, once small categories have gone to their parents.
    fn merged(&self, min_count: usize) -> BTreeMap<&[String], Vec<usize>> {
        let mut members: BTreeMap<&[String], Vec<usize>> = BTreeMap::new();
        for (item, path) in self.paths.iter().enumerate() {
            members.entry(path).or_default().push(item);
        }
        let deepest = self.paths.iter().map(Vec::len).max().unwrap_or(0);
        for depth in (1..=deepest).rev() {
            let small =
                |(path, items): &(&&[String], &Vec<usize>)| path.len() == depth && items.len() < min_count;
            let small: Vec<&[String]> = members.iter().filter(small).map(|(path, _)| *path).collect();
            for path in small {
                let moved = members.remove(path).unwrap_or_default();
                members.entry(&path[..depth - 1]).or_default().extend(moved);
            }
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn categories(paths: &[&str]) -> Categories {
        let labels = |path: &&str| path.split('/').filter(|l| !l.is_empty()).map(String::from).collect();
        Categories::new(paths.iter().map(labels).collect())
    }

    #[test]
    fn with_a_least_count_of_one_every_path_stays() {
        let (labels, of_items) = categories(&["b/x", "a", "b", "b/x", "a/x"]).resolve(1);
        assert_eq!(labels, ["a", "a > x", "b", "b > x"]);
        assert_eq!(of_items, [3, 0, 2, 3, 1]);
    }

    #[test]
    fn small_categories_join_in_their_parent_and_make_it_large_enough() {
        let (labels, of_items) = categories(&["a/x/1", "a/x/2", "a/y", "b/x", "", "a/z"]).resolve(2);
        assert_eq!(labels, ["none", "a", "a > x"]);
        assert_eq!(of_items, [2, 2, 1, 0, 0, 1]);
    }

    proptest! {
        #[test]
        fn every_category_but_none_is_large_enough_and_above_its_items(
            paths in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..60),
            min_count in 1usize..8,
        ) {
            let labels = |path: &Vec<u8>| path.iter().map(u8::to_string).collect::<Vec<_>>();
            let categories = Categories::new(paths.iter().map(labels).collect());
            let (labels, of_items) = categories.resolve(min_count);
            for (k, label) in labels.iter().enumerate() {
                let members: Vec<usize> = (0..paths.len()).filter(|&i| of_items[i] as usize == k).collect();
                prop_assert!(!members.is_empty() && (label == NONE || members.len() >= min_count));
                for item in members {
                    let whole = categories.paths()[item].join(" > ");
                    prop_assert!(label == NONE || whole.starts_with(label.as_str()), "{label}: {whole}");
                    // It moved no further up than it had to: its own category was too small.
                    let same = categories.paths().iter().filter(|p| **p == categories.paths()[item]).count();
                    prop_assert!(whole == *label || whole.is_empty() || same < min_count);
                }
            }
        }
    }
}
