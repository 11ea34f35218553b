//! `equipoise train`

use crate::failure::Failure;
use crate::global::Global;
use crate::help;
use crate::print;

use super::settings;
use crate::interrupt::stop_flag;
use crate::progress::Progress;
use equipoise_train::config::Layers;
use equipoise_train::events::Ending;
use equipoise_train::tracking::{self, Tracked};
use equipoise_train::{Job, Outcome, Run, RunConfig, TrainError};
use std::path::{Path, PathBuf};

/// Train a model, and the teachers that its balancer needs.
#[derive(clap::Args)]
#[command(after_help = "\
Any setting of the configuration file can be given as --set section.key=value, such as --set train.patience=5.
--dry-run prints every setting with its value and where the value came from.

A run is a directory: config.toml, model.safetensors, tables.safetensors, vocabulary.json, events.jsonl, metrics.json,
per_user.parquet, ablations.parquet, report.html, and items.jsonl if the data set has titles.
Ctrl-C and SIGTERM end training cleanly: the best model so far is saved and evaluated, and the run is marked as interrupted.
The same command then goes on from its checkpoint, as it does after a crash or kill -9, and ends with the same results as if
nothing had happened; --from-scratch begins anew.")]
pub struct Args {
    /// Directory of the data set, in any layout that `data check` reads.
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Directory of the run to make.
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// Configuration file; flags win over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_name = "NAME", help = help::backbone())]
    backbone: Option<String>,
    #[arg(long, value_name = "NAME", help = help::balancer())]
    balance: Option<String>,
    /// Modalities to use, by name [default: all that are found].
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    modalities: Option<Vec<String>>,
    /// What models see of items that lack a modality: mean, zero or neighbours.
    #[arg(long, value_name = "NAME")]
    missing: Option<String>,
    /// Most epochs.
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Seed of every random stream.
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Learning rate.
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    lr: Option<f64>,
    /// L2 penalty.
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    reg: Option<f64>,
    /// CKD: weight of all distillation.
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    lambda_kd: Option<f64>,
    /// CKD: weight of the generic loss within it.
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    lambda_g: Option<f64>,
    /// CKD: weights as in the paper, as in the released code, uniform, or robust (docs/ckd.md).
    #[arg(long, value_name = "MODE")]
    weights: Option<String>,
    #[arg(long, value_name = "DIR", help = help::teachers())]
    teachers: Option<PathBuf>,
    /// Where tensors live: cpu; vulkan[:N] and cuda[:N] in builds that have them.
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Any other setting.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Hand the numbers of every epoch to a program that draws curves: tensorboard:DIR.
    #[arg(long, value_name = "KIND:PLACE")]
    track: Vec<String>,
    /// Print the resolved configuration and where each value came from; train nothing.
    #[arg(long)]
    dry_run: bool,
    /// Replace the run that is there.
    #[arg(long)]
    overwrite: bool,
    /// Begin anew instead of going on from the checkpoint of a run that was interrupted.
    #[arg(long)]
    from_scratch: bool,
}

/// Key of a setting, the flag that gives it, and what was given.
type Flag = (&'static str, &'static str, Option<toml::Value>);

impl Args {
    fn layers(&self) -> Result<Layers, Failure> {
        let mut layers = Layers::new();
        if let Some(file) = &self.config {
            layers = layers.file(file)?;
        }
        for (key, flag, value) in self.flags()? {
            if let Some(value) = value {
                layers = layers.set(key, value, flag.to_owned())?;
            }
        }
        for text in &self.set {
            let (key, value) = settings::pair(text)?;
            layers = layers.set(&key, value, format!("--set {key}"))?;
        }
        Ok(layers)
    }

    fn flags(&self) -> Result<Vec<Flag>, Failure> {
        let text = |v: &Option<String>| v.clone().map(toml::Value::String);
        let path = |flag, v: &Option<PathBuf>| v.as_ref().map(|p| settings::path(flag, p)).transpose();
        let number = |v: Option<f64>| v.map(toml::Value::Float);
        let whole = |v: Option<u32>| v.map(|v| toml::Value::Integer(v.into()));
        let list = self.modalities.clone().map(|v| v.into_iter().map(toml::Value::String).collect());
        Ok(vec![
            ("data.path", "--data", path("--data", &self.data)?),
            ("data.modalities", "--modalities", list.map(toml::Value::Array)),
            ("data.missing", "--missing", text(&self.missing)),
            ("backbone.name", "--backbone", text(&self.backbone)),
            ("balance.name", "--balance", text(&self.balance)),
            ("balance.teachers", "--teachers", path("--teachers", &self.teachers)?),
            ("train.epochs", "--epochs", whole(self.epochs)),
            ("seed", "--seed", whole(self.seed)),
            ("train.lr", "--lr", number(self.lr)),
            ("train.reg", "--reg", number(self.reg)),
            ("balance.ckd.lambda_kd", "--lambda-kd", number(self.lambda_kd)),
            ("balance.ckd.lambda_g", "--lambda-g", number(self.lambda_g)),
            ("balance.ckd.weights", "--weights", text(&self.weights)),
            ("device", "--device", text(&self.device)),
        ])
    }
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let layers = args.layers()?;
    let config = layers.resolve()?;
    if args.dry_run {
        return dry_run(&layers, &config, global);
    }
    if config.data.path.as_os_str().is_empty() {
        return Err(Failure::input(
            "no data: give --data PATH, or `path` under [data] in the configuration file",
        ));
    }
    let Some(out) = &args.out else {
        return Err(Failure::input("no place for the run: give --out RUN, such as --out runs/first"));
    };
    let trackers = args.track.iter().map(|text| tracking::open(text)).collect::<Result<Vec<_>, _>>()?;
    let loaded = config.data.load()?;
    let mut progress = Progress::new(global.quiet);
    loaded.data.notes.iter().for_each(|note| progress.say(&format!("note: {note}")));
    let job = Job {
        config: &config,
        loaded: &loaded,
        out,
        overwrite: args.overwrite,
        from_scratch: args.from_scratch,
    };
    let mut listener = Tracked::new(trackers, &mut progress);
    let outcome = match job.execute(&mut listener, &stop_flag()) {
        Err(TrainError::Taken(dir)) => unreported(&job).ok_or(TrainError::Taken(dir))?,
        // A setting that does not go with the data is told with where it stands.
        Err(TrainError::Field(error)) => return Err(layers.blame(error).into()),
        done => done?,
    };
    let stopped = outcome.report.ending == Ending::Interrupted;
    if stopped && outcome.run.dir() != out {
        let out = out.display();
        return Err(Failure::interrupted(format!(
            "stopped; the run in {out} is as it was, and the same command goes on with the new one"
        )));
    }
    let headline = equipoise_report::headline(&super::audit::written(&outcome.run, &loaded)?);
    result(&outcome, &headline, global)?;
    if stopped {
        return Err(Failure::interrupted(format!(
            "interrupted after {} epochs: the best model so far is saved, and the same command goes on",
            outcome.report.epochs
        )));
    }
    Ok(())
}

/// The run that is there already, if it is the one that was asked for and only its report is missing: there was no room for it, or
/// the program was ended before it was written.
fn unreported(job: &Job) -> Option<Outcome> {
    let run = Run::open(job.out).ok().filter(|run| !run.report_path().exists())?;
    let report = run.finished_as(job.config, &job.loaded.data)?;
    run.tidy().ok()?;
    Some(Outcome { run, report })
}

fn dry_run(layers: &Layers, config: &RunConfig, global: &Global) -> Result<(), Failure> {
    if global.json() {
        return print::json(config);
    }
    let used = |row: &(String, String, String)| row.2 != "default" || !config.is_idle(&row.0);
    let rows = layers.origins().into_iter().filter(used).map(|(k, v, o)| vec![k, v, o]);
    let rows: Vec<Vec<String>> = rows.collect();
    print::out(&print::table(&["setting", "value", "from"], &rows))
}

fn result(outcome: &Outcome, headline: &str, global: &Global) -> Result<(), Failure> {
    if global.json() {
        return print::json(&outcome.report);
    }
    let test = outcome.report.test.as_ref().expect("a job measures its model on test");
    let (table, users) = (print::metrics(&test.metrics), test.evaluated_users);
    print::out(&format!(
        "\nTest metrics of {users} users\n{table}{}\n{headline}\n\n{}\n",
        print::marks(outcome.report.says_nothing()),
        made(outcome.run.dir())
    ))
}

fn made(dir: &Path) -> String {
    let report = dir.join("report.html");
    let dir = dir.display();
    format!(
        "run    {dir}\nreport {}\n\nThe run can be served: `equipoise recommend {dir} --user ID`; `equipoise calibrate {dir}` chooses \
         weights of modalities and how strangers are folded in.",
        report.display()
    )
}
