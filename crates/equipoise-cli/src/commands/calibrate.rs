//! `equipoise calibrate`

use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use equipoise_recommend::{
    Calibration, FoldInStart, NewItemsMade, SERVING, ServedModel, ServingOptions, prepare, prepare_new_items,
};
use std::path::PathBuf;

/// Choose the weights of modalities and how strangers are folded in, on validation, and keep both with the run.
#[derive(clap::Args)]
#[command(after_help = "\
The score is y + sum over modalities of (weight - 1) * (y - y without the modality): 1 leaves a modality as it was
trained, 0 silences it. Weights are never worse on validation than the whole model. Nothing is read of test.")]
pub struct Args {
    /// A run, or a served model.
    model: PathBuf,
    /// Length of the lists by whose recall weights are chosen.
    #[arg(long, value_name = "K", default_value_t = 20)]
    k: usize,
    /// Only report the weights; the model keeps serving as it was trained.
    #[arg(long)]
    keep_weights: bool,
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    if args.k == 0 {
        return Err(Failure::input("--k 0: expected at least 1"));
    }
    let what = ServingOptions { weights: !args.keep_weights, k: args.k };
    let model = prepare(&args.model, None, what)?;
    if let NewItemsMade::Missing(reason) = prepare_new_items(&args.model)?
        && !global.quiet
    {
        print::say(&format!("note: what new items need was not made: {reason}"));
    }
    if global.json() {
        return print::json(model.settings());
    }
    let path = args.model.join(SERVING);
    print::out(&format!("{}\nkept {}\n", shown(&model), path.display()))
}

/// What was found, for people.
pub fn shown(model: &ServedModel) -> String {
    let settings = model.settings();
    let mut text = settings.calibration.as_ref().map_or(String::new(), weights);
    if let Some(choice) = &settings.fold_in {
        let start = match choice.settings.start {
            FoldInStart::Mean => "the mean user",
            FoldInStart::Map => "a linear map of the basket",
        };
        let steps =
            choice.settings.lambda.map_or("no steps".into(), |lambda| format!("steps with penalty {lambda}"));
        text.push_str(&format!(
            "strangers: from {start}, {steps}; recall@20 {:.4} of {} users folded in, {:.4} with their trained rows\n",
            choice.recall, choice.users, choice.trained_recall
        ));
    }
    text
}

fn weights(found: &Calibration) -> String {
    let value = |v: f64| format!("{v:.4}");
    let mut rows = vec![vec!["whole model".to_owned(), value(found.whole)]];
    rows.extend(found.channels.iter().map(|(name, v)| vec![format!("only {name}"), value(*v)]));
    rows.push(vec!["calibrated".into(), value(found.calibrated)]);
    let mut text = print::table(&["validation", &found.metric], &rows);
    if let Some((name, _)) = found.better_channel() {
        text.push_str(&format!("The whole model is worse than its {name} channel alone: 1 + 1 < 2.\n"));
    }
    let weights: Vec<String> = found.weights.iter().map(|(name, w)| format!("{name} {w}")).collect();
    text.push_str(&format!("weights: {} ({} settings tried)\n", weights.join(", "), found.tried));
    text
}
