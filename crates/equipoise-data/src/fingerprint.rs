//! A hash that tells two data sets apart.

use crate::dataset::Dataset;
use crate::interactions::Interactions;

impl Dataset {
    /// BLAKE3 hash, 64 hex digits, of what a trained model depends on: the shape, the train and
    /// validation pairs, the raw ids, the names and features of the modalities in order, which
    /// items lack them where that is known, and the categories of the items where there are any.
    ///
    /// The test split, the name and the layout have no part in it: the same data read from two
    /// layouts have one fingerprint. Principal components are known by the features that they are of:
    /// their last bits depend on the kind of processor.
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"equipoise data set 1");
        number(&mut hasher, self.n_users());
        number(&mut hasher, self.n_items());
        for split in [&self.train, &self.validation] {
            interactions(&mut hasher, split);
        }
        for ids in [self.vocabulary.users(), self.vocabulary.items()] {
            number(&mut hasher, ids.len());
            ids.iter().for_each(|id| text(&mut hasher, id));
        }
        number(&mut hasher, self.modalities.len());
        for modality in &self.modalities {
            text(&mut hasher, &modality.name);
            modality.features.hash_into(&mut hasher);
        }
        for modality in &self.modalities {
            let Some(missing) = &modality.missing else { continue };
            text(&mut hasher, "missing");
            text(&mut hasher, &modality.name);
            number(&mut hasher, missing.len());
            missing.items().iter().for_each(|&item| number(&mut hasher, item as usize));
        }
        if let Some(categories) = &self.categories {
            text(&mut hasher, "categories");
            for path in categories.paths() {
                number(&mut hasher, path.len());
                path.iter().for_each(|label| text(&mut hasher, label));
            }
        }
        hasher.finalize().to_hex().to_string()
    }
}

fn number(hasher: &mut blake3::Hasher, value: usize) {
    hasher.update(&(value as u64).to_le_bytes());
}

fn text(hasher: &mut blake3::Hasher, value: &str) {
    number(hasher, value.len());
    hasher.update(value.as_bytes());
}

fn interactions(hasher: &mut blake3::Hasher, split: &Interactions) {
    number(hasher, split.len());
    let mut bytes = Vec::with_capacity(split.len() * 8);
    for (user, item) in split.pairs() {
        bytes.extend(user.to_le_bytes());
        bytes.extend(item.to_le_bytes());
    }
    hasher.update(&bytes);
}

#[cfg(test)]
mod tests {
    use crate::{Categories, Dataset, FeatureScale, Features, Interactions, Modality, Vocabulary};

    fn dataset() -> Dataset {
        let ids = |n: u32| (0..n).map(|i| i.to_string()).collect();
        let features = Features::new(3, 1, vec![1.0, 2.0, 3.0]).expect("finite");
        Dataset {
            name: "tiny".into(),
            format: "lattice".into(),
            vocabulary: Vocabulary::new(ids(2), ids(3)).expect("distinct"),
            train: Interactions::from_pairs(2, 3, &[(0, 0), (1, 2)]).0,
            validation: Interactions::from_pairs(2, 3, &[(0, 1)]).0,
            modalities: vec![Modality::new("text", features)],
            categories: None,
            notes: Vec::new(),
        }
    }

    #[test]
    fn every_part_that_training_sees_changes_it() {
        let base = dataset().fingerprint();
        let changed = |change: &dyn Fn(&mut Dataset)| {
            let mut other = dataset();
            change(&mut other);
            other.fingerprint() != base
        };
        let pairs = |p: &[(u32, u32)]| Interactions::from_pairs(2, 3, p).0;
        assert!(changed(&|d| d.train = pairs(&[(0, 0), (1, 1)])));
        assert!(changed(&|d| d.validation = pairs(&[(0, 2)])));
        assert!(changed(&|d| std::mem::swap(&mut d.train, &mut d.validation)));
        assert!(changed(&|d| d.modalities[0].name = "image".into()));
        let features = Features::new(3, 1, vec![1.0, 2.0, 3.5]).expect("finite");
        assert!(changed(&|d| d.modalities[0].features = features.clone()));
        let missing = |items: &[u32]| Some(crate::Missing::new(items.to_vec()));
        assert!(changed(&|d| d.modalities[0].missing = missing(&[])));
        let lacking = |item| {
            let mut other = dataset();
            other.modalities[0].missing = missing(&[item]);
            other.fingerprint()
        };
        assert_ne!(lacking(0), lacking(1));
        let categories =
            |last: &str| Some(Categories::new(["a", "b", last].map(|l| vec![String::from(l)]).to_vec()));
        assert!(changed(&|d| d.categories = categories("c")));
        let with = |last| Dataset { categories: categories(last), ..dataset() }.fingerprint();
        assert_ne!(with("c"), with("d"));
        let renamed = || ["a", "b"].iter().collect();
        let items = dataset().vocabulary.items().clone();
        assert!(changed(&|d| {
            d.vocabulary = Vocabulary::new(renamed(), items.clone()).expect("distinct");
        }));
        // What saved runs and teachers know their data by: it must never change for data without categories.
        assert_eq!(base, "cd17574cba4a634bb9ded27f2881d92c559f24eff088f223b86a8b14ecdd92da");
        assert!(!changed(&|d| d.name = "other".into()));
        assert!(!changed(&|d| d.notes.push("A remark.".into())));
    }

    #[test]
    fn principal_components_are_known_by_the_features_that_they_are_of() {
        let of = |values: Vec<f32>, k: usize| {
            let features = Features::new(3, 2, values).expect("finite");
            Dataset { modalities: vec![Modality::new("text", features)], ..dataset() }
                .scaled(FeatureScale::Pca(k))
        };
        let values = vec![1.0, 2.0, 3.0, 5.0, 8.0, 9.0];
        let base = of(values.clone(), 2);
        // The same on every machine, whatever the last bits are.
        assert_eq!(base.fingerprint(), "e6831cfd24bc479ef1fbc7eab2124415e6cd3484cadb67df66f333081cb1346b");
        assert_eq!(base.fingerprint(), of(values.clone(), 9).fingerprint(), "there are no more than 2");
        assert_ne!(base.fingerprint(), of(values.clone(), 1).fingerprint());
        assert_ne!(base.fingerprint(), of(vec![1.0, 2.0, 3.0, 5.0, 8.0, 9.5], 2).fingerprint());
        let mut stored = base.clone();
        stored.modalities[0].features = base.modalities[0].features.clone().by_value();
        assert_ne!(stored.fingerprint(), base.fingerprint());
    }
}
