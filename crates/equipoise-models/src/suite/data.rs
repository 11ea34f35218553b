//! A small synthetic data set with edge cases: a hub, a user and an item without interactions, categories of all sizes.

use crate::{Ablation, BackboneConfig, Model};
use equipoise_data::{
    Categories, Dataset, Features, Interactions, Modality, Seed, Stream, Triples, Vocabulary,
};

/// Users; the last has no interaction.
pub const USERS: usize = 7;
/// Items; the last has no interaction, item 0 is a hub.
pub const ITEMS: usize = 9;

/// Sparse interactions: everyone but the last user met item 0 and some others, never the last item.
fn interactions(stream: &mut Stream) -> Interactions {
    let mut pairs = Vec::new();
    for user in 0..USERS as u32 - 1 {
        pairs.push((user, 0));
        // User 1 knows the hub alone.
        let more = (1..ITEMS as u32 - 1).filter(|_| user != 1 && stream.unit() < 0.4);
        pairs.extend(more.map(|item| (user, item)));
    }
    Interactions::from_pairs(USERS, ITEMS, &pairs).0
}

/// A wide category, two narrow ones in it, one of a single item, and items without.
fn categories() -> Categories {
    let paths: [&[&str]; ITEMS] =
        [&["a", "x"], &["a", "y"], &["a", "x"], &["a"], &["b"], &[], &["a", "y"], &["a", "x"], &[]];
    Categories::new(paths.iter().map(|path| path.iter().map(|l| (*l).to_owned()).collect()).collect())
}

/// A data set with `n` modalities of different widths, random but for the seed.
pub fn dataset(n: usize, seed: u64) -> Dataset {
    let mut stream = Seed(seed).stream("suite/data");
    let names = ["text", "image", "audio", "video"];
    let modality = |m: usize, stream: &mut Stream| {
        let width = 3 + 2 * m;
        let values = (0..ITEMS * width).map(|_| (2.0 * stream.unit() - 1.0) as f32).collect();
        let features = Features::new(ITEMS, width, values).expect("finite values that fill the table");
        Modality::new(names[m], features)
    };
    let ids = |kind: &str, n| (0..n).map(|k| format!("{kind}{k}")).collect();
    Dataset {
        name: "suite".into(),
        format: "none".into(),
        vocabulary: Vocabulary::new(ids("u", USERS), ids("i", ITEMS)).expect("distinct ids"),
        train: interactions(&mut stream),
        validation: Interactions::from_pairs(USERS, ITEMS, &[(0, 1)]).0,
        modalities: (0..n).map(|m| modality(m, &mut stream)).collect(),
        categories: Some(categories()),
        notes: Vec::new(),
    }
}

/// A model on this data.
///
/// # Panics
/// If the configuration is refused.
pub fn model(config: &BackboneConfig, data: &Dataset, seed: u64) -> Model {
    let device = equipoise_nn::device("cpu").expect("there is a cpu");
    Model::new(config, data, Seed(seed), &device).unwrap_or_else(|fault| panic!("{}: {fault}", config.name))
}

/// Random triples of all users and items; the unknown user and the unknown item are among them, and the last
/// triple has equal items.
pub fn triples(n: usize, seed: u64) -> Triples {
    let mut stream = Seed(seed).stream("suite/triples");
    let (user, item) = (USERS as u32 - 1, ITEMS as u32 - 1);
    let mut t = Triples { users: vec![user, 0], positives: vec![1, item], negatives: vec![item, 2] };
    for _ in 0..n {
        t.users.push(stream.below(USERS as u32));
        t.positives.push(stream.below(ITEMS as u32));
        t.negatives.push(stream.below(ITEMS as u32));
    }
    t.users.push(3);
    t.positives.push(4);
    t.negatives.push(4);
    t
}

/// Every ablation of `n` modalities.
pub fn every_ablation(n: usize) -> Vec<Ablation> {
    (0..1usize << n).map(|set| Ablation::silencing((0..n).filter(|m| set >> m & 1 == 1))).collect()
}
