//! `equipoise evaluate`

use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use super::opened::open;
use clap::ValueEnum;
use equipoise_data::Dataset;
use equipoise_eval::{EvalConfig, EvalError, Evaluation, NdcgDefinition};
use equipoise_models::Ablation;
use equipoise_recommend::ServedModel;
use equipoise_train::evaluation::evaluate_tables;
use std::path::PathBuf;

/// Evaluate a trained model again, perhaps at other cut-offs or without a modality.
#[derive(clap::Args)]
pub struct Args {
    /// The run.
    run: PathBuf,
    /// Data set directory [default: where the run was trained].
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Which held-out interactions.
    #[arg(long, value_enum, default_value = "test")]
    split: Split,
    /// Cut-offs [default: those of the run].
    #[arg(long, value_name = "K,K", value_delimiter = ',')]
    ks: Option<Vec<usize>>,
    /// Definition of NDCG [default: that of the run].
    #[arg(long, value_enum)]
    ndcg: Option<Ndcg>,
    /// Modalities to silence (replaced by their means), by name.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    without: Vec<String>,
    /// With the weights of modalities that `equipoise calibrate` chose on validation.
    #[arg(long, conflicts_with = "without")]
    calibrated: bool,
    /// Write per-user results to this Parquet file.
    #[arg(long, value_name = "FILE")]
    per_user: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Split {
    Validation,
    Test,
}

#[derive(Clone, Copy, ValueEnum)]
enum Ndcg {
    Standard,
    Retrieved,
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let run = open(&args.run)?;
    let config = run.config()?.into_inner();
    let mut source = config.data;
    if let Some(path) = &args.data {
        source.path = path.clone();
    }
    if !source.path.exists() {
        let (run, path) = (run.config_path(), source.path);
        return Err(Failure::input(match &args.data {
            Some(_) => format!("--data {}: there is nothing; give the data set of the run", path.display()),
            None => format!(
                "{}: the data set {} that the run was trained on is not there; say where it is with --data PATH",
                run.display(),
                path.display()
            ),
        }));
    }
    let loaded = source.load()?;
    let eval = settings(args, config.eval);
    let data = &loaded.data;
    let (held_out, excluded) = match args.split {
        Split::Validation => (&data.validation, vec![&data.train]),
        Split::Test => (loaded.test.open(), eval.excluded_at_test(&data.train, &data.validation)),
    };
    if args.calibrated {
        let model = ServedModel::open(&args.run)?;
        if model.settings().weights.is_empty() {
            return Err(Failure::input(format!(
                "--calibrated: {} has no weights; `equipoise calibrate` chooses some",
                args.run.display()
            )));
        }
        let fingerprint = data.fingerprint();
        if model.tables().fingerprint() != fingerprint {
            let (trained, found) = equipoise_data::told_apart(model.tables().fingerprint(), &fingerprint);
            return Err(Failure::input(format!(
                "{}: trained on other data (fingerprint {trained}, this data has {found}); give its data set with --data",
                args.run.display()
            )));
        }
        return finish(model.evaluate(held_out, &excluded, &eval)?, args, data, global);
    }
    let model = run.model(data)?;
    let ablation = silenced(&args.without, &model.inputs.names())?;
    let encoded = model.encode_all(&[ablation]);
    let evaluated = evaluate_tables(&encoded, ablation, held_out, &excluded, &eval);
    let result = evaluated.map_err(|error| match error {
        EvalError::Config(field) => Failure::input(format!("--{}: {field}", field.key)),
        error => error.into(),
    })?;
    finish(result, args, data, global)
}

fn finish(result: Evaluation, args: &Args, data: &Dataset, global: &Global) -> Result<(), Failure> {
    if let Some(file) = &args.per_user {
        result.per_user.write_parquet(file, Some(data.vocabulary.users()), &[])?;
    }
    show(&result, global)
}

fn settings(args: &Args, from_run: EvalConfig) -> EvalConfig {
    let ndcg = args.ndcg.map(|n| match n {
        Ndcg::Standard => NdcgDefinition::Standard,
        Ndcg::Retrieved => NdcgDefinition::Retrieved,
    });
    EvalConfig { ks: args.ks.clone().unwrap_or(from_run.ks), ndcg: ndcg.unwrap_or(from_run.ndcg), ..from_run }
}

fn silenced(names: &[String], known: &[&str]) -> Result<Ablation, Failure> {
    let position = |name: &String| {
        let found = known.iter().position(|k| k == name);
        found.ok_or_else(|| {
            let known = known.join(", ");
            Failure::input(format!("--without {name}: the run has no such modality, only {known}"))
        })
    };
    Ok(Ablation::silencing(names.iter().map(position).collect::<Result<Vec<_>, _>>()?))
}

fn show(result: &Evaluation, global: &Global) -> Result<(), Failure> {
    if global.json() {
        return print::json(result);
    }
    let (users, skipped) = (result.evaluated_users, result.skipped_users);
    let mut text = format!("{users} users evaluated, {skipped} without held-out items skipped\n");
    text.push_str(&print::metrics(&result.metrics));
    for (name, definition) in &result.definitions {
        text.push_str(&format!("{name}: {definition}\n"));
    }
    print::out(&text)
}
