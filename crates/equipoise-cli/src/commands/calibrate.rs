//! `equipoise calibrate`

use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use equipoise_import::{ItemColumns, ItemKnowledge};
use equipoise_recommend::{
    Calibration, FoldInStart, IDS, ItemInfos, NewItemsMade, SERVING, ServedModel, ServingOptions, prepare,
    prepare_new_items,
};
use std::path::{Path, PathBuf};

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
    /// Table of items whose titles and attributes lists show: .csv, .tsv, .parquet or .jsonl with an id.
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    /// Column of raw item ids in --items [default: guessed by its name].
    #[arg(long, value_name = "COLUMN", requires = "items")]
    item_column: Option<String>,
    /// Column of titles in --items [default: guessed by its name].
    #[arg(long, value_name = "COLUMN", requires = "items")]
    title_column: Option<String>,
    /// Column of paths or addresses of pictures in --items [default: guessed by its name].
    #[arg(long, value_name = "COLUMN", requires = "items")]
    picture_column: Option<String>,
    /// Only report the weights; the model keeps serving as it was trained.
    #[arg(long)]
    keep_weights: bool,
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    if args.k == 0 {
        return Err(Failure::input("--k 0: expected at least 1"));
    }
    let what = ServingOptions { weights: !args.keep_weights, k: args.k };
    let infos = args.items.as_deref().map(|file| infos(args, file, global)).transpose()?;
    let model = prepare(&args.model, infos.as_ref(), what)?;
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

/// What a table says of the model's items.
fn infos(args: &Args, file: &Path, global: &Global) -> Result<ItemInfos, Failure> {
    let model = ServedModel::open(&args.model)?;
    let columns = ItemColumns {
        id: args.item_column.clone(),
        title: args.title_column.clone(),
        picture: args.picture_column.clone(),
        ..ItemColumns::default()
    };
    let table = ItemKnowledge::read(file, &model.vocabulary().items().to_vec(), &columns)?;
    if !global.quiet {
        table.notes.iter().for_each(|note| print::say(&format!("note: {note}")));
        print::say(&format!("{} of {} items have a row", table.len(), model.vocabulary().items().len()));
    }
    Ok(ItemInfos::new(table.rows().map(|(item, row)| (item, row.clone()))))
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

/// Whether the whole model is worse than one of its channels.
fn weaker(found: &Calibration) -> String {
    match (&found.weaker_than, found.better_channel()) {
        (Some(weaker), _) => {
            let alone =
                if weaker.channel == IDS { "ids".into() } else { format!("{} channel", weaker.channel) };
            format!(
                "The whole is worse than its {alone} alone ({} {:.4} against {:.4}, {}): 1 + 1 < 2.\n",
                found.metric,
                found.whole,
                weaker.value,
                weaker.surety()
            )
        }
        (None, Some((name, _))) => {
            format!("The whole model is below its {name} channel alone, but not measurably.\n")
        }
        (None, None) => String::new(),
    }
}

fn weights(found: &Calibration) -> String {
    let value = |v: f64| format!("{v:.4}");
    let mut rows = vec![vec!["whole model".to_owned(), value(found.whole)]];
    rows.extend(found.channels.iter().map(|(name, v)| vec![format!("only {name}"), value(*v)]));
    rows.extend(found.ids.map(|v| vec!["ids alone".to_owned(), value(v)]));
    rows.push(vec!["calibrated".into(), value(found.calibrated)]);
    let mut text = print::table(&["validation", &found.metric], &rows);
    text.push_str(&weaker(found));
    let weights: Vec<String> = found.weights.iter().map(|(name, w)| format!("{name} {w}")).collect();
    text.push_str(&format!("weights: {} ({} settings tried)\n", weights.join(", "), found.tried));
    text
}
