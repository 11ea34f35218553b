//! What every format reads of a data set, and the checks that all formats share.

use std::path::{Path, PathBuf};

use super::category_file::GatheredCategories;
use super::missing_file::ReadMissing;
use super::placing::{Placing, one_off, ways_to_place_rows};
use super::row_counts::RowCounts;
use crate::dataset::{Dataset, Loaded, SealedTest};
use crate::error::DataError;
use crate::faults::Faults;
use crate::features::{Features, Modality};
use crate::ids::Ids;
use crate::interactions::Interactions;
use crate::missing::Missing;
use crate::vocabulary::Vocabulary;

/// Names of the splits in the order train, validation, test.
pub(crate) const SPLITS: [&str; 3] = ["train", "validation", "test"];

/// How far ids may run beyond what occurs before they are taken for a mistake. Ids are indices:
/// a stray one of 4 billion would otherwise cost gigabytes of empty rows.
const SLACK: usize = 1_000_000;

/// One split as it stands in the file: in file order, repeats included.
#[derive(Clone, Debug, Default)]
pub struct GatheredSplit {
    /// File (and column value) it was read from.
    pub origin: String,
    /// Users that it names, ascending; one may be there without any item.
    pub users: Vec<u32>,
    /// User and item of each interaction.
    pub pairs: Vec<(u32, u32)>,
    /// Time of each interaction in the unit of the file; empty unless every interaction has one.
    pub times: Vec<i64>,
}

impl GatheredSplit {
    /// A split that names the users of its pairs.
    pub fn new(origin: String, pairs: Vec<(u32, u32)>, times: Vec<i64>) -> GatheredSplit {
        let mut users: Vec<u32> = pairs.iter().map(|p| p.0).collect();
        users.sort_unstable();
        users.dedup();
        GatheredSplit { origin, users, pairs, times }
    }
}

/// A modality together with its file.
#[derive(Debug)]
pub struct GatheredModality {
    /// Name of the modality.
    pub name: String,
    /// File or folder that the features are from.
    pub file: PathBuf,
    /// Type in the file, e.g. `float32`.
    pub dtype: &'static str,
    /// Features, one row per item. What stands in the row of a missing item is kept until it is filled.
    pub features: Features,
    pub(crate) missing: Option<ReadMissing>,
    /// How rows came to their items.
    pub(crate) placing: Placing,
}

impl GatheredModality {
    /// A modality of which nothing is known to be missing.
    pub fn new(
        name: impl Into<String>,
        file: impl Into<PathBuf>,
        dtype: &'static str,
        features: Features,
    ) -> GatheredModality {
        GatheredModality {
            name: name.into(),
            file: file.into(),
            dtype,
            features,
            missing: None,
            placing: Placing::ById,
        }
    }

    /// The same with the items that lack it, as `file` says.
    #[must_use]
    pub fn with_missing(self, file: &Path, items: Vec<u32>) -> GatheredModality {
        GatheredModality { missing: Some(ReadMissing::of(file, items)), ..self }
    }
}

/// Everything that was read of a data set, before the parts are held against each other.
///
/// ```
/// use equipoise_data::Features;
/// use equipoise_data::formats::{Gathered, GatheredModality, GatheredSplit};
/// use std::path::Path;
/// let split = |name: &str, pairs| Some(GatheredSplit::new(name.into(), pairs, Vec::new()));
/// let features = Features::new(3, 1, vec![0.0, 1.0, 2.0])?;
/// let gathered = Gathered::new("tiny", "mine")
///     .with_splits([split("train", vec![(0, 0), (1, 2)]), split("val", vec![(0, 1)]), split("test", vec![])])
///     .with_items("items.txt", ["a", "b", "c"].map(String::from).to_vec())
///     .with_modalities(vec![GatheredModality::new("text", "text.npy", "float32", features)]);
/// let loaded = gathered.assemble(Path::new("tiny"))?;
/// assert_eq!((loaded.data.n_users(), &loaded.data.vocabulary.items()[2]), (2, "c"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Gathered {
    pub(crate) name: String,
    pub(crate) format: String,
    /// Train, validation, test; `None` where unreadable.
    pub(crate) splits: [Option<GatheredSplit>; 3],
    /// Raw user ids by index and the file that lists them.
    pub(crate) users: Option<(PathBuf, Vec<String>)>,
    /// Raw item ids by index and the file that lists them.
    pub(crate) items: Option<(PathBuf, Vec<String>)>,
    pub(crate) modalities: Vec<GatheredModality>,
    /// Categories of items, if there is a file of them.
    pub(crate) categories: Option<GatheredCategories>,
    pub(crate) notes: Vec<String>,
    /// Rows that the splits do not have: merged before they were divided, and left out.
    pub(crate) counts: RowCounts,
}

impl Gathered {
    /// Nothing read yet of the data set `name`, which has the layout `format`.
    pub fn new(name: impl Into<String>, format: impl Into<String>) -> Gathered {
        Gathered { name: name.into(), format: format.into(), ..Gathered::default() }
    }

    /// The same with train, validation and test; `None` for a split that could not be read, whose fault was noted.
    #[must_use]
    pub fn with_splits(self, splits: [Option<GatheredSplit>; 3]) -> Gathered {
        Gathered { splits, ..self }
    }

    /// The same with the raw user ids by index, as `file` lists them. Without them, users are called by their index.
    #[must_use]
    pub fn with_users(self, file: impl Into<PathBuf>, ids: Vec<String>) -> Gathered {
        Gathered { users: Some((file.into(), ids)), ..self }
    }

    /// The same with the raw item ids by index, as `file` lists them. Without them, items are called by their index.
    #[must_use]
    pub fn with_items(self, file: impl Into<PathBuf>, ids: Vec<String>) -> Gathered {
        Gathered { items: Some((file.into(), ids)), ..self }
    }

    /// The same with features.
    #[must_use]
    pub fn with_modalities(self, modalities: Vec<GatheredModality>) -> Gathered {
        Gathered { modalities, ..self }
    }

    /// The same with categories of the items, if there are any.
    #[must_use]
    pub fn with_categories(self, categories: Option<GatheredCategories>) -> Gathered {
        Gathered { categories, ..self }
    }

    /// The same with sentences about what was merged, left out or odd.
    #[must_use]
    pub fn with_notes(self, notes: Vec<String>) -> Gathered {
        Gathered { notes, ..self }
    }
}

/// The shape that all parts must share.
#[derive(Clone, Debug)]
pub struct GatheredShape {
    /// Number of users.
    pub users: usize,
    /// Number of items.
    pub items: usize,
}

impl Gathered {
    /// Train, validation and test as they stand in the files; `None` for one that could not be read.
    pub fn splits(&self) -> [Option<&GatheredSplit>; 3] {
        self.splits.each_ref().map(Option::as_ref)
    }

    /// What became of the rows that were read.
    pub fn row_counts(&self) -> RowCounts {
        let mut counts = self.counts.clone();
        let pairs: usize = self.present().map(|split| split.pairs.len()).sum();
        counts.kept = self.present().map(distinct).sum();
        counts.merged += pairs - counts.kept;
        if counts.read == 0 {
            // A layout without rows of its own: what is in the splits is what was read.
            counts.read = pairs;
        }
        counts
    }

    /// The file or folder of each modality's features.
    pub fn modality_files(&self) -> impl Iterator<Item = &Path> {
        self.modalities.iter().map(|modality| &*modality.file)
    }

    /// Checks the parts against each other and settles the shape: as many items as the item
    /// list names, else as the features have rows, else as the ids demand; as many users as
    /// the user list names, else as the ids demand.
    ///
    /// # Errors
    /// The first fault, when loading.
    pub fn verify(&self, faults: &mut Faults) -> Result<GatheredShape, DataError> {
        let items = self.verify_items(faults)?;
        let users = self.verify_users(faults)?;
        if let Some(categories) = &self.categories {
            categories.verify(items, faults)?;
        }
        for (first, second) in [(0, 1), (0, 2), (1, 2)] {
            self.verify_disjoint(first, second, faults)?;
        }
        if let Some(train) = self.splits[0].as_ref().filter(|s| s.pairs.is_empty()) {
            let origin = train.origin.clone();
            faults.add(DataError::EmptyTrain { origin })?;
        }
        Ok(GatheredShape { users, items })
    }

    fn verify_items(&self, faults: &mut Faults) -> Result<usize, DataError> {
        let ids = self.present().flat_map(|s| &s.pairs).map(|p| p.1 as usize + 1);
        let demanded = ids.max().unwrap_or(0).min(SLACK);
        let listed = self
            .items
            .as_ref()
            .map(|(file, ids)| (ids.len(), format!("{} lists {} items", file.display(), ids.len())));
        let Some(first) = self.modalities.first() else {
            return Ok(listed.map_or(demanded, |l| l.0));
        };
        let rows = first.features.rows();
        let (expected, reason) =
            listed.unwrap_or_else(|| (rows, format!("{} has {rows}", first.file.display())));
        for modality in &self.modalities {
            let found = modality.features.rows();
            if found != expected {
                let (file, reason) = (modality.file.clone(), reason.clone());
                faults.add(DataError::Rows { file, found, expected, reason })?;
            }
            if let Some(missing) = &modality.missing {
                missing.verify(expected, faults)?;
            }
        }
        if self.items.is_none() {
            self.verify_first_item(expected, faults)?;
        }
        for split in self.present() {
            let bad = split.pairs.iter().filter(|p| p.1 as usize >= expected);
            let faulty = bad.map(|&(user, item)| DataError::ItemOutOfRange {
                origin: split.origin.clone(),
                user,
                item,
                last: expected.saturating_sub(1),
                bound: reason.clone(),
            });
            faults.add_all(faulty, &split.origin, "item id out of range")?;
        }
        Ok(expected)
    }

    /// Items without a list are row numbers. Where all from 1 to the last row or one beyond it occur and none is 0, they
    /// are most likely numbered from 1; and where 0 occurs and ids of rows begin at 1, those are.
    fn verify_first_item(&self, rows: usize, faults: &mut Faults) -> Result<(), DataError> {
        let placed = |wanted: Placing| self.modalities.iter().find(move |m| m.placing == wanted);
        let (by_position, by_number) = (placed(Placing::ByPosition), placed(Placing::ByNumberFrom1));
        if by_position.is_none() && by_number.is_none() {
            return Ok(());
        }
        let mut occurs = vec![false; rows + 1];
        for &(_, item) in self.present().flat_map(|split| &split.pairs) {
            if let Some(occurs) = occurs.get_mut(item as usize) {
                *occurs = true;
            }
        }
        let fault = |modality: &GatheredModality, problem: String| DataError::Entry {
            file: modality.file.clone(),
            place: format!("features of {:?}", modality.name),
            problem,
        };
        let last = if occurs[rows] { rows } else { rows - 1 };
        if let Some(modality) = by_position
            && last > 0
            && !occurs[0]
            && occurs[1..=last].iter().all(|&occurs| occurs)
        {
            let problem = one_off(last, &ways_to_place_rows(&modality.file));
            faults.add(fault(modality, format!("{rows} rows without ids, {problem}")))?;
        }
        if let Some(modality) = by_number.filter(|_| occurs[0] && !occurs[rows - 1]) {
            let last = rows - 1;
            let problem = format!(
                "rows are called 1 to {last}, while items are numbered from 0 and none is {last}; number both from 0"
            );
            faults.add(fault(modality, problem))?;
        }
        Ok(())
    }

    fn verify_users(&self, faults: &mut Faults) -> Result<usize, DataError> {
        let mut seen: Vec<u32> = self.present().flat_map(|s| &s.users).copied().collect();
        seen.sort_unstable();
        seen.dedup();
        let (limit, bound) = match &self.users {
            Some((file, ids)) => (ids.len(), format!("{} lists {} users", file.display(), ids.len())),
            None => (seen.len() * 16 + SLACK, format!("only {} users occur", seen.len())),
        };
        for split in self.present() {
            let bad = split.users.iter().filter(|&&user| user as usize >= limit);
            let faulty = bad.map(|&user| DataError::UserOutOfRange {
                origin: split.origin.clone(),
                user,
                last: limit.saturating_sub(1),
                bound: bound.clone(),
            });
            faults.add_all(faulty, &split.origin, "user id out of range")?;
        }
        let demanded = seen.iter().rev().find(|&&u| (u as usize) < limit).map_or(0, |&u| u as usize + 1);
        Ok(if self.users.is_some() { limit } else { demanded })
    }

    fn verify_disjoint(&self, a: usize, b: usize, faults: &mut Faults) -> Result<(), DataError> {
        let (Some(a), Some(b)) = (&self.splits[a], &self.splits[b]) else {
            return Ok(());
        };
        let mut sorted = a.pairs.clone();
        sorted.sort_unstable();
        let mut common: Vec<_> = b.pairs.iter().filter(|p| sorted.binary_search(p).is_ok()).collect();
        common.sort_unstable();
        common.dedup();
        let faulty = common.into_iter().map(|&(user, item)| DataError::Overlap {
            user,
            item,
            first: a.origin.clone(),
            second: b.origin.clone(),
        });
        faults.add_all(faulty, &b.origin, "interaction in two splits")
    }

    fn present(&self) -> impl Iterator<Item = &GatheredSplit> {
        self.splits.iter().flatten()
    }

    /// The interactions of one split within `shape`; pairs outside (possible only when faults
    /// were found) are left out. Merged repeats are noted.
    pub(crate) fn interactions(
        &self,
        split: usize,
        shape: &GatheredShape,
        notes: &mut Vec<String>,
    ) -> Interactions {
        let Some(read) = &self.splits[split] else {
            return Interactions::from_pairs(shape.users, shape.items, &[]).0;
        };
        let inside = |p: &&(u32, u32)| (p.0 as usize) < shape.users && (p.1 as usize) < shape.items;
        let pairs: Vec<_> = read.pairs.iter().filter(inside).copied().collect();
        let (set, merged) = Interactions::from_pairs(shape.users, shape.items, &pairs);
        if merged > 0 {
            notes.push(format!("{}: merged {merged} repeated interactions.", read.origin));
        }
        if set.is_empty() {
            notes.push(format!("{}: the {} split is empty.", read.origin, SPLITS[split]));
        }
        set
    }

    /// Raw ids: those listed beside the data, else the indices in decimals.
    pub(crate) fn vocabulary(&self, path: &Path, shape: &GatheredShape) -> Result<Vocabulary, DataError> {
        let ids = |listed: &Option<(PathBuf, Vec<String>)>, count: usize| match listed {
            Some((_, ids)) => ids.iter().collect::<Ids>(),
            None => (0..count).map(|n| n.to_string()).collect(),
        };
        let vocabulary = Vocabulary::new(ids(&self.users, shape.users), ids(&self.items, shape.items));
        vocabulary.map_err(|source| DataError::Vocabulary { path: path.to_owned(), source })
    }

    /// Checks the parts against each other and builds the data set.
    ///
    /// # Errors
    /// The first fault.
    pub fn assemble(mut self, path: &Path) -> Result<Loaded, DataError> {
        let shape = self.verify(&mut Faults::stop_at_first())?;
        let vocabulary = self.vocabulary(path, &shape)?;
        let mut notes = std::mem::take(&mut self.notes);
        let [train, validation, test] = [0, 1, 2].map(|s| self.interactions(s, &shape, &mut notes));
        notes.extend(oddities(&train, &validation, &test));
        notes.extend(self.silent_modalities());
        let modalities = self.modalities.into_iter();
        let modalities = modalities.map(|m| Modality {
            name: m.name,
            features: m.features,
            missing: m.missing.map(|missing| Missing::new(missing.items)),
        });
        let data = Dataset {
            name: self.name,
            format: self.format,
            vocabulary,
            train,
            validation,
            modalities: modalities.collect(),
            categories: self.categories.map(|read| read.of_items(shape.items)),
            notes,
        };
        Ok(Loaded { data, test: SealedTest::seal(test) })
    }
}

impl Gathered {
    /// Sentences about modalities whose rows are all the same: features of pictures that were never loaded, for instance.
    pub(crate) fn silent_modalities(&self) -> impl Iterator<Item = String> {
        let silent = self.modalities.iter().filter(|m| m.features.tell_nothing_apart());
        silent.map(|m| {
            let zero = if m.features.zero_rows() > 0 { ", zero throughout" } else { "" };
            format!(
                "{}: every row is the same{zero}, so that it tells no item from another; make these features again.",
                m.name
            )
        })
    }
}

/// Users whose items of all splits are the whole catalogue, and users whose train items are.
pub(crate) fn with_every_item(
    train: &Interactions,
    validation: &Interactions,
    test: &Interactions,
) -> (usize, usize) {
    let items = train.n_items();
    let full = |&user: &u32| {
        let held = [validation, test].map(|split| split.items_of(user));
        let others = held.iter().flat_map(|items| items.iter()).filter(|&&item| !train.contains(user, item));
        // Validation and test are disjoint, or the data set is faulty.
        train.items_of(user).len() + others.count() >= items
    };
    let users = 0..train.n_users() as u32;
    let alone = users.clone().filter(|&user| train.items_of(user).len() == items).count();
    (users.filter(full).count(), alone)
}

/// The number of distinct pairs.
fn distinct(split: &GatheredSplit) -> usize {
    let mut pairs = split.pairs.clone();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.len()
}

/// Sentences about users and items that training never sees. Of the test split they count
/// users, nothing else.
pub(crate) fn oddities(train: &Interactions, validation: &Interactions, test: &Interactions) -> Vec<String> {
    let mut notes = Vec::new();
    let users = 0..train.n_users() as u32;
    let idle: Vec<u32> = users.filter(|&u| train.items_of(u).is_empty()).collect();
    if !idle.is_empty() {
        let held = |split: &Interactions| idle.iter().filter(|&&u| !split.items_of(u).is_empty()).count();
        notes.push(format!(
            "Users without a train item, skipped in training: {}; held-out items are kept for {} of \
             them in validation, for {} in test.",
            idle.len(),
            held(validation),
            held(test)
        ));
    }
    let (full, none_left) = with_every_item(train, validation, test);
    if full > 0 {
        notes.push(format!(
            "Users who met every item of the catalogue, all splits together: {full}; whatever is recommended to them is a \
             hit. No item is left to recommend to {none_left} of them, who have all of them in train."
        ));
    }
    let cold = train.item_counts().iter().filter(|&&c| c == 0).count();
    if cold > 0 {
        notes.push(format!("Items that never occur in train, for which only their features speak: {cold}."));
    }
    notes
}
