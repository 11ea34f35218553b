//! What the settings of a run do otherwise than the paper's text: a sentence for each, which goes away with its setting.

use super::facts::DataFacts;
use equipoise_balance::Ckd;
use equipoise_balance::weights::{Guard, WeightMode};
use equipoise_data::BprSampling;
use equipoise_eval::NdcgDefinition;
use equipoise_train::RunConfig;
use equipoise_train::config::PatienceRule;

/// Evaluations without improvement after which the paper stops, one an epoch.
const PATIENCE: usize = 10;

/// What `config` does otherwise than the paper's text says, on this data.
pub(super) fn departures(config: &RunConfig, data: &[DataFacts]) -> Vec<String> {
    let training = [patience(config), sampling(config), ndcg(config)];
    let distillation = match config.balance.name.as_str() {
        "ckd" => distillation(config, &config.balance.get::<Ckd>(), data),
        _ => Vec::new(),
    };
    training.into_iter().flatten().chain(distillation).collect()
}

fn patience(config: &RunConfig) -> Option<String> {
    let (every, patience) = (config.train.eval_every, config.train.patience);
    let stops = match config.train.patience_rule {
        PatienceRule::Paper => patience,
        PatienceRule::Released => patience + 1,
    };
    ((every, stops) != (1, PATIENCE)).then(|| {
        format!(
            "Patience: the paper stops after {PATIENCE} epochs without improvement; here training stops at the {stops}th evaluation \
             without one, {every} epochs apart (train.eval_every = {every}, train.patience = {patience}, train.patience_rule), after \
             {} epochs.",
            every * stops
        )
    })
}

fn sampling(config: &RunConfig) -> Option<String> {
    (config.train.sampling == BprSampling::UserUniform).then(|| {
        "Batches: the paper's are triples of the data, in which each interaction counts alike; here a batch is drawn uniformly \
         over users, one triple each (train.sampling = \"user_uniform\", as the released code), so that active users count less."
            .to_owned()
    })
}

fn ndcg(config: &RunConfig) -> Option<String> {
    (config.eval.ndcg == NdcgDefinition::Retrieved).then(|| {
        "NDCG: the paper does not define it; here the ideal list is made of the hits that were retrieved (eval.ndcg = \"retrieved\", \
         as the released code), which is never below the standard definition at the largest cut-off."
            .to_owned()
    })
}

/// Of the two losses and the weights.
fn distillation(config: &RunConfig, ckd: &Ckd, data: &[DataFacts]) -> Vec<String> {
    let (batch, generic) = (config.train.batch_size, ckd.generic_triples);
    let mut list = vec![
        "Losses are means over triples, where the paper writes sums: lambda_kd does not depend on the size of a batch.".to_owned(),
    ];
    if ckd.lambda_g > 0.0 {
        list.push(format!(
            "Generic loss: as means, lambda_g = 1 here is lambda_g = B/G = {:.2} of the paper's sums (train.batch_size = {batch}, \
             balance.ckd.generic_triples = {generic}; the paper gives no G).",
            batch as f64 / generic as f64
        ));
        let own: Vec<String> = data.iter().map(own_items).collect();
        list.push(format!(
            "Random items of the generic loss may be the user's own, as in the released code; the paper's are not paired with the \
             user. That is so of {} of the draws.",
            own.join(", ")
        ));
    }
    let weighting = ckd.switches().resolve();
    let by_ratio = ckd.weights != WeightMode::Robust && !weighting.uniform;
    if by_ratio && weighting.guard == Guard::Floored {
        list.push(
            "Weights are guarded (balance.ckd.guard = \"floored\"): effects that are not positive count as next to none, ratios of more \
             than 10 as 10, and a teacher whose mean margin is not positive teaches nothing. The text has no guard."
                .to_owned(),
        );
    }
    list
}

/// The share of a user's own train items among random ones.
fn own_items(data: &DataFacts) -> String {
    let share = data.splits.train as f64 / (data.users as f64 * data.items as f64);
    format!("{:.2} % ({})", 100.0 * share, data.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::{compose, paper};
    use crate::search::Point;
    use equipoise_data::{SplitFacts, SplitFamily};

    fn data() -> Vec<DataFacts> {
        let splits = SplitFacts { train: 119_674, validation: 1, test: 1, family: SplitFamily::Lattice };
        vec![DataFacts {
            name: "baby".into(),
            path: "baby".into(),
            fingerprint: String::new(),
            users: 19_445,
            items: 7_050,
            splits,
            modalities: Vec::new(),
        }]
    }

    /// The settings of the paper's tables, and what is set by hand.
    fn found(method: &str, by_hand: &[(&str, toml::Value)]) -> Vec<String> {
        let paper = paper();
        let user = Point::new(by_hand.iter().map(|(key, value)| ((*key).into(), value.clone())).collect());
        let none = Point::new(Vec::new());
        let config = compose(paper, "vbpr", method, [&none, &none], &user).unwrap();
        departures(&config, &data())
    }

    #[test]
    fn the_papers_tables_name_each_departure_with_its_numbers() {
        let all = found("ckd", &[]).join("\n");
        for part in [
            "at the 11th evaluation without one, 5 epochs apart",
            "after 55 epochs",
            "train.sampling = \"user_uniform\"",
            "eval.ndcg = \"retrieved\"",
            "Losses are means",
            "lambda_g = B/G = 0.20",
            "0.09 % (baby)",
            "balance.ckd.guard = \"floored\"",
        ] {
            assert!(all.contains(part), "{part}\n{all}");
        }
    }

    /// Each setting, a value with which the sentence goes or changes, and a word of the sentence.
    #[test]
    fn each_departure_goes_with_its_setting() {
        let text = |value: &str| toml::Value::String(value.into());
        let cases: [(&[(&str, toml::Value)], &str); 5] = [
            (
                &[
                    ("train.eval_every", 1.into()),
                    ("train.patience", 10.into()),
                    ("train.patience_rule", text("paper")),
                ],
                "Patience",
            ),
            (&[("train.sampling", text("interaction_uniform"))], "Batches"),
            (&[("eval.ndcg", text("standard"))], "NDCG"),
            (&[("balance.ckd.lambda_g", 0.0.into())], "Generic loss"),
            (&[("balance.ckd.guard", text("raw"))], "Weights are guarded"),
        ];
        let before = found("ckd", &[]);
        for (by_hand, word) in cases {
            assert!(before.iter().any(|sentence| sentence.starts_with(word)), "{word}");
            let after = found("ckd", by_hand);
            assert!(!after.iter().any(|sentence| sentence.starts_with(word)), "{word}: {after:?}");
        }
        assert!(found("ckd", &[("train.eval_every", 2.into())])[0].contains("after 22 epochs"));
        assert!(found("ckd", &[("train.batch_size", 16_384.into())]).join("").contains("B/G = 3.28"));
        assert!(!found("none", &[]).join("").contains("Generic loss"), "a plain model has no distillation");
    }
}
