//! Files that import each other, directly or through others.

use crate::imports::Arrows;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// One arrow of a circle: from, to, and the names that are taken.
pub type Arrow = (PathBuf, PathBuf, Vec<String>);

/// Every circle: the arrows among files that all reach each other.
pub fn circles(arrows: &Arrows) -> Vec<Vec<Arrow>> {
    let files: BTreeSet<&PathBuf> = arrows.keys().flat_map(|(from, to)| [from, to]).collect();
    let reached: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> =
        files.iter().map(|&file| (file, reachable(arrows, file))).collect();
    let mut groups: BTreeSet<Vec<&PathBuf>> = BTreeSet::new();
    for &file in files.iter().filter(|&&file| reached[file].contains(file)) {
        groups.insert(
            files
                .iter()
                .copied()
                .filter(|&f| reached[file].contains(f) && reached[f].contains(file))
                .collect(),
        );
    }
    let within = |group: &Vec<&PathBuf>| {
        let both = |(from, to): &(PathBuf, PathBuf)| group.contains(&from) && group.contains(&to);
        let of = |((from, to), names): (&(PathBuf, PathBuf), &BTreeSet<String>)| {
            (from.clone(), to.clone(), names.iter().cloned().collect())
        };
        arrows.iter().filter(|(pair, _)| both(pair)).map(of).collect()
    };
    groups.iter().map(within).collect()
}

/// All files that arrows lead to from here.
fn reachable<'a>(arrows: &'a Arrows, from: &PathBuf) -> BTreeSet<&'a PathBuf> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&PathBuf> = vec![from];
    while let Some(file) = next.pop() {
        for (_, to) in arrows.keys().filter(|(f, _)| f == file) {
            if found.insert(to) {
                next.push(to);
            }
        }
    }
    found
}
