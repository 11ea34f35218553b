//! `equipoise run`: from raw files to the report.

use super::settings;
use super::splits;
use super::table_flags::TableFlags;
use crate::failure::Failure;
use crate::global::Global;
use crate::interrupt::stop_flag;
use crate::print;

use crate::progress::PipelineProgress;
use equipoise_data::{FeatureSource, Shares, SplitRule};
use equipoise_study::pipeline::{PipelineConfig, PipelinePlan, SearchBudget, StageState, Summary, carry_out};
use serde_json::json;
use std::path::PathBuf;
use toml::Value;

/// From raw files to a report in one command.
///
/// Imports the data, makes features, checks, searches a few settings on validation, trains the plain model, one teacher
/// per modality and the balanced model (CKD), makes the better one ready to be served, and reports which modality is under-used
/// and what changed.
#[derive(clap::Args)]
#[command(after_help = "\
Give one of --reviews, --csv and --data:
  equipoise run --reviews reviews_Baby_5.json.gz --meta meta_Baby.json.gz --out baby
  equipoise run --csv interactions.csv --items items.csv --text title --image picture --out shop
  equipoise run --csv clicks.csv --image-folder photos --out shop
  equipoise run --data my-data --out study

Each stage is done once: the same command again finds it up to date, another setting redoes what depends on it, and a
command that was stopped or killed goes on, with the same results. --dry-run says what would be done.

--config FILE (TOML) has the same keys with underscores (image_features = \"...\", text = [\"title\"], and [set] and
[columns] as tables); flags win over it.")]
pub struct Args {
    /// Configuration file; flags win over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Raw Amazon reviews (JSON lines or CSV, plain or gzip).
    #[arg(long, value_name = "FILE", help_heading = "Amazon files")]
    reviews: Option<PathBuf>,
    /// Their metadata: texts and categories come from it.
    #[arg(long, value_name = "FILE", help_heading = "Amazon files")]
    meta: Option<PathBuf>,
    /// Their image features (.b).
    #[arg(long, value_name = "FILE", help_heading = "Amazon files")]
    image_features: Option<PathBuf>,
    /// Least reviews of a user and of an item [default: 5].
    #[arg(long, value_name = "K", help_heading = "Amazon files")]
    core: Option<u32>,
    /// Table of interactions: .csv, .tsv, .jsonl or .parquet.
    #[arg(long, alias = "interactions", value_name = "FILE", help_heading = "Tables")]
    csv: Option<PathBuf>,
    /// Table of items: an id, titles and attributes that lists show, texts, paths of pictures and of sounds.
    #[arg(long, value_name = "FILE", help_heading = "Tables")]
    items: Option<PathBuf>,
    /// Names of the columns of the items, where the first line of that table is data.
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Tables")]
    item_names: Option<Vec<String>>,
    /// Columns of the items whose texts are encoded.
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Tables")]
    text: Option<Vec<String>>,
    /// Column of the items with paths of pictures, relative to the table.
    #[arg(long, value_name = "COLUMN", help_heading = "Tables")]
    image: Option<String>,
    /// Column of the items with paths of sounds, relative to the table.
    #[arg(long, value_name = "COLUMN", help_heading = "Tables")]
    audio: Option<String>,
    /// Folder of pictures called <raw item id>.jpg and so on, instead of --image.
    #[arg(long, value_name = "DIR", help_heading = "Tables")]
    image_folder: Option<PathBuf>,
    /// Folder of sounds called <raw item id>.wav and so on, instead of --audio.
    #[arg(long, value_name = "DIR", help_heading = "Tables")]
    audio_folder: Option<PathBuf>,
    #[command(flatten)]
    reading: TableFlags,
    /// A data set that is ready.
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// How interactions are divided [default: lattice of reviews; of a table its own, else ratio].
    #[arg(long, value_name = "RULE", value_parser = splits::rule())]
    split: Option<SplitRule>,
    /// Shares of train, validation and test for --split ratio and time [default: 0.8,0.1,0.1].
    #[arg(long, value_name = "A,B,C")]
    shares: Option<Shares>,
    /// Seed of splits by chance [default: 123].
    #[arg(long, value_name = "N")]
    split_seed: Option<u32>,
    /// Encoder of texts: builtin, a folder, or a name in the hub's cache [default: builtin].
    #[arg(long, value_name = "MODEL")]
    text_model: Option<String>,
    /// How the rows of tokens of --text-model become one: cls, mean, max, ... [default: as the model's files say].
    #[arg(long, value_name = "POOLING")]
    text_pooling: Option<String>,
    /// Put before each text, as some models want it: "passage: " for E5 [default: as the model's files say].
    #[arg(long, value_name = "TEXT")]
    text_prompt: Option<String>,
    /// Columns of the features of --text-model builtin [default: 64, or as many as the texts give].
    #[arg(long, value_name = "N")]
    text_dims: Option<u32>,
    /// Encoder of pictures: builtin, a folder, or a name in the hub's cache [default: builtin].
    #[arg(long, value_name = "MODEL")]
    image_model: Option<String>,
    /// Encoder of sounds: builtin, a folder, or a name in the hub's cache [default: builtin].
    #[arg(long, value_name = "MODEL")]
    audio_model: Option<String>,
    /// Seconds of each sound that are read, from its start [default: 120].
    #[arg(long, value_name = "N")]
    audio_seconds: Option<u32>,
    /// Features that are there already: .npy, .npz, .safetensors, .parquet, .csv, or a folder of one .npy per raw item id.
    #[arg(long, value_name = "NAME=PATH", value_parser = super::reading::source)]
    features: Vec<FeatureSource>,
    /// Where everything goes.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How far settings are searched, on validation: none, small or full [default: small].
    #[arg(long, value_name = "BUDGET", value_parser = SearchBudget::ALL.map(SearchBudget::name))]
    budget: Option<String>,
    #[arg(long, value_name = "NAME", help = crate::help::backbone_or_default())]
    backbone: Option<String>,
    /// First seed of the runs [default: 42].
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Number of seeds [default: 1].
    #[arg(long, value_name = "N")]
    seeds: Option<u32>,
    /// Most epochs of each model [default: 1000].
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Any other setting of a run, such as train.patience=5.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Say what would be done and what is up to date; do nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// The flags that are given, as a configuration.
    fn table(&self) -> Result<toml::Table, Failure> {
        let path = |flag: &str, p: &Option<PathBuf>| p.as_ref().map(|p| settings::path(flag, p)).transpose();
        let text = |t: &Option<String>| t.clone().map(Value::String);
        let whole = |n: Option<u32>| n.map(|n| Value::Integer(n.into()));
        let texts = |t: &Option<Vec<String>>| {
            t.clone().map(|t| Value::Array(t.into_iter().map(Value::String).collect()))
        };
        let numbers = |s: Shares| Value::Array(s.0.into_iter().map(Value::Float).collect());
        let flags = [
            ("reviews", path("--reviews", &self.reviews)?),
            ("meta", path("--meta", &self.meta)?),
            ("image_features", path("--image-features", &self.image_features)?),
            ("core", whole(self.core)),
            ("csv", path("--csv", &self.csv)?),
            ("items", path("--items", &self.items)?),
            ("item_names", texts(&self.item_names)),
            ("text", texts(&self.text)),
            ("image", text(&self.image)),
            ("audio", text(&self.audio)),
            ("image_folder", path("--image-folder", &self.image_folder)?),
            ("audio_folder", path("--audio-folder", &self.audio_folder)?),
            ("features", self.sources()?),
            ("min_rating", self.reading.min_rating()?.map(Value::Float)),
            ("data", path("--data", &self.data)?),
            ("split", self.split.map(|rule| Value::String(rule.name().into()))),
            ("shares", self.shares.map(numbers)),
            ("split_seed", whole(self.split_seed)),
            ("text_model", text(&self.text_model)),
            ("text_pooling", text(&self.text_pooling)),
            ("text_prompt", text(&self.text_prompt)),
            ("text_dims", whole(self.text_dims)),
            ("image_model", text(&self.image_model)),
            ("audio_model", text(&self.audio_model)),
            ("audio_seconds", whole(self.audio_seconds)),
            ("out", path("--out", &self.out)?),
            ("budget", text(&self.budget)),
            ("backbone", text(&self.backbone)),
            ("seed", whole(self.seed)),
            ("seeds", whole(self.seeds)),
            ("epochs", whole(self.epochs)),
        ];
        let mut table = given(flags);
        for (key, part) in [("columns", self.reading.section()), ("set", self.set()?)] {
            if !part.is_empty() {
                table.insert(key.into(), Value::Table(part));
            }
        }
        Ok(table)
    }

    fn sources(&self) -> Result<Option<Value>, Failure> {
        let table = |source: &FeatureSource| {
            let path = settings::path("--features", &source.path)?;
            let pairs = [("name", Value::String(source.name.clone())), ("path", path)];
            Ok(Value::Table(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
        };
        let sources: Vec<Value> = self.features.iter().map(table).collect::<Result<_, Failure>>()?;
        Ok((!sources.is_empty()).then_some(Value::Array(sources)))
    }

    fn set(&self) -> Result<toml::Table, Failure> {
        self.set.iter().map(|text| settings::pair(text)).collect()
    }
}

fn given<const N: usize>(flags: [(&str, Option<Value>); N]) -> toml::Table {
    flags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let (config, origins) = PipelineConfig::layered(args.config.as_deref(), &args.table()?)?;
    let plan = PipelinePlan::new(config).map_err(|error| error.at(&origins))?;
    if args.dry_run {
        return dry_run(&plan, global);
    }
    let mut progress = PipelineProgress::new(global.quiet);
    let summary = carry_out(&plan, &mut progress, &stop_flag())?;
    drop(progress);
    show(&summary, &plan, global)
}

fn dry_run(plan: &PipelinePlan, global: &Global) -> Result<(), Failure> {
    if global.json() {
        return print::json(&json!({ "config": plan.config, "stages": plan.stages }));
    }
    let words = |state| match state {
        StageState::UpToDate => "up to date",
        StageState::GoesOn => "would go on",
        StageState::Outdated => "would be redone",
        StageState::New => "would run",
    };
    let rows = plan.stages.iter().enumerate().map(|(n, stage)| {
        vec![format!("{}", n + 1), stage.title.clone(), words(stage.state).into(), stage.name.clone()]
    });
    print::out(&print::words(&["", "stage", "state", "directory"], &rows.collect::<Vec<_>>()))
}

fn show(summary: &Summary, plan: &PipelinePlan, global: &Global) -> Result<(), Failure> {
    let report = plan.config.out.join("report/report.html");
    if global.json() {
        return print::json(&json!({ "summary": summary, "report": report }));
    }
    let usage: String = summary.usage().iter().map(|line| format!("  {line}\n")).collect();
    let served = summary.served.as_ref().map_or_else(String::new, |kept| {
        let dir = plan.config.out.join("served");
        format!("{}\n\nserved {}\n", kept.sentence(&summary.metric), dir.display())
    });
    print::out(&format!(
        "\nPlain model: {}\n{usage}\nCKD: {}\n{}\n{served}report {}\n       {}\n",
        summary.diagnosis,
        summary.outcome,
        summary.comparison(),
        report.display(),
        report.with_extension("md").display()
    ))
}
