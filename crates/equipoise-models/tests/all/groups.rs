//! Which parameters belong to a modality and which are shared, for every built-in backbone: what balancers scale.

use equipoise_models::backbones::deepstyle::Variant;
use equipoise_models::{BackboneConfig, DeepStyle, built_in, suite};
use equipoise_nn::Group;
use std::collections::BTreeSet;

const NAMES: [&str; 3] = ["text", "image", "audio"];

/// Names with `<m>` for the modality of their group, and the shared ones, of a model with three modalities.
fn groups(config: &BackboneConfig) -> (BTreeSet<String>, BTreeSet<String>) {
    let model = suite::model(config, &suite::dataset(3, 1), 1);
    let mut of_modalities = vec![BTreeSet::new(); 3];
    let (mut shared, mut count) = (BTreeSet::new(), 0);
    for (name, group, _) in model.parameters.iter() {
        count += 1;
        let fresh = match group {
            Group::Shared => shared.insert(name.to_owned()),
            Group::Ids => {
                assert!(
                    ["user.id", "item.id"].contains(&name),
                    "{}: `{name}` is no id embedding",
                    config.name
                );
                shared.insert(name.to_owned())
            }
            Group::Modality(modality) => {
                let m = NAMES.iter().position(|n| n == modality).expect("a modality of the data");
                of_modalities[m].insert(own_name(name, modality))
            }
        };
        assert!(fresh, "{}: `{name}` is in two groups", config.name);
    }
    let grouped = shared.len() + of_modalities.iter().map(BTreeSet::len).sum::<usize>();
    assert_eq!(grouped, count, "{}: every parameter is in one group", config.name);
    let alike = of_modalities.iter().all(|g| *g == of_modalities[0]);
    assert!(alike, "{}: the groups of modalities are alike: {of_modalities:?}", config.name);
    (of_modalities.remove(0), shared)
}

/// A parameter's name with its group's modality as `<m>` and the next and the one after as `<k>` and `<l>`.
fn own_name(name: &str, modality: &str) -> String {
    let m = NAMES.iter().position(|n| *n == modality).expect("a modality of the data");
    let stand = |part: &str| match NAMES.iter().position(|n| *n == part) {
        Some(k) => ["<m>", "<k>", "<l>"][(k + 3 - m) % 3].to_owned(),
        None => part.to_owned(),
    };
    name.split('.').map(stand).collect::<Vec<_>>().join(".")
}

/// Each name of a list; `a.{b,c}` stands for `a.b` and `a.c`.
fn set(list: &str) -> BTreeSet<String> {
    let each = |word: &str| match (word.find('{'), word.find('}')) {
        (Some(a), Some(b)) => {
            let choices = word[a + 1..b].split(',');
            choices.map(|c| format!("{}{c}{}", &word[..a], &word[b + 1..])).collect()
        }
        _ => vec![word.to_owned()],
    };
    list.split_whitespace().flat_map(each).collect()
}

const IDS: &str = "user.id item.id";

/// The group of a modality and the shared one, with default settings.
fn expected(backbone: &str) -> (&'static str, &'static str) {
    match backbone {
        "vbpr" => ("user.<m> weight.<m> bias.<m>", IDS),
        "deepstyle" => ("user.<m> weight.<m> bias.<m> category.<m>", IDS),
        // Nine maps: three in each of three layers.
        "mmgcn" => (
            "user.<m> weight.<m> bias.<m> \
             conv.<m>.1.{weight,bias} conv.<m>.2.{weight,bias} conv.<m>.3.{weight,bias} \
             self.<m>.1.{weight,bias} self.<m>.2.{weight,bias} self.<m>.3.{weight,bias} \
             combine.<m>.1.{weight,bias} combine.<m>.2.{weight,bias} combine.<m>.3.{weight,bias}",
            IDS,
        ),
        "grcn" => ("user.<m> weight.<m> bias.<m> confidence.<m>", IDS),
        // The gates of a channel, towards each of the others.
        "egogcn" => {
            ("user.<m> weight.<m> bias.<m> gate.<m>.<k>.{weight,bias} gate.<m>.<l>.{weight,bias}", IDS)
        }
        "mgcn" => (
            "weight.<m> bias.<m> gate.<m>.{weight,bias} prefer.<m>.{weight,bias}",
            "user.id item.id attention.{weight,bias,query}",
        ),
        "bprmf" | "lightgcn" => ("", IDS),
        "freedom" => ("weight.<m> bias.<m>", IDS),
        "bm3" => ("weight.<m> bias.<m>", "user.id item.id predictor.{weight,bias}"),
        "itemknn" | "popularity" => ("", ""),
        other => {
            panic!("{other}: say here which of its parameters belong to a modality and which are shared")
        }
    }
}

#[test]
fn every_backbone_has_the_groups_that_it_should_have() {
    for entry in built_in() {
        let config = BackboneConfig { width: 4, ..BackboneConfig::named(entry.name) };
        let (modality, shared) = expected(entry.name);
        assert_eq!(groups(&config), (set(modality), set(shared)), "{}", entry.name);
    }
}

/// With one user vector for all modalities, that vector is an id embedding.
#[test]
fn a_tied_deepstyle_has_no_preferences_in_a_group() {
    let mut config = BackboneConfig { width: 4, ..BackboneConfig::named("deepstyle") };
    config.get_mut::<DeepStyle>().variant = Variant::Tied;
    assert_eq!(groups(&config), (set("weight.<m> category.<m>"), set(IDS)));
}
