//! The command-line program: parse, understand, do; results on stdout, talk on stderr.
//!
//! Exit codes: 0 done, 1 a failure on the way, 2 input that cannot be used, 130 stopped; of `task` also 75, try again.

mod commands;
mod failure;
mod global;
mod guard;
mod help;
mod hints;
mod interrupt;
mod print;
mod process;
mod progress;
mod signals;

use clap::{CommandFactory, Parser, Subcommand};
use commands::{
    audit, backbones, calibrate, compare, data, demo, evaluate, explain, export, features, feedback, items,
    recommend, reproduce, run, serve, similar, sweep, task, train,
};
use failure::Failure;
use global::Global;
use std::process::ExitCode;

/// Trains and diagnoses multimodal recommenders in which every modality pulls its weight.
///
/// A model trained on images, texts and sounds at once leans on the strongest of them. Equipoise shows by how
/// much the others are under-used, and trains models that use them (counterfactual knowledge distillation).
#[derive(Parser)]
#[command(name = "equipoise", version, propagate_version = true, after_help = FIRST_STEPS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

const FIRST_STEPS: &str = "\
First steps:
  equipoise demo                                        everything on synthetic data, about a minute
  equipoise run --data my-data --out study              everything on your data, from raw files too
  equipoise data check my-data                          is my data set sound?
  equipoise train --data my-data --out runs/plain       the plain model
  equipoise train --data my-data --balance ckd --out runs/ckd
  equipoise sweep search.toml --data my-data --out searches/first
                                                        good settings, chosen on validation
  equipoise audit runs/ckd --against runs/plain         which modality is under-used, and what changed
  equipoise compare runs/plain runs/ckd                 is the difference real?
  equipoise calibrate runs/ckd                          how much each modality should count
  equipoise recommend runs/ckd --user u42               what to show to a user
  equipoise serve runs/ckd                              the same by HTTP, with a page to look at
  equipoise export runs/ckd --to serving --out served   a model that needs neither run nor data

Exit codes:
  0    done
  1    a failure on the way: a full disk, a place that may not be written or that another process is writing, a loss that
       became infinite, a fault of this program; the same command may succeed later
  2    input that cannot be used
  75   of `task` alone: try again
  130  stopped by Ctrl-C, SIGTERM or SIGHUP; what is done is kept";

#[derive(Subcommand)]
enum Command {
    /// Train plain and balanced models on made-up data and show what happened.
    Demo(demo::Args),
    /// From raw files to a report in one command.
    Run(Box<run::Args>),
    /// Check, convert or import a data set, or make one up.
    #[command(subcommand)]
    Data(data::Command),
    /// Make features from the content of items.
    #[command(subcommand)]
    Features(features::Command),
    /// List the backbones, what each is and where it was published.
    Backbones,
    /// Train a model, and the teachers that its balancer needs.
    Train(Box<train::Args>),
    /// Search for good settings, by a metric on validation.
    Sweep(sweep::Args),
    /// Evaluate a trained model again.
    Evaluate(evaluate::Args),
    /// Show which modality is under-used, and write report.html.
    Audit(audit::Args),
    /// Compare the test results of two runs user by user.
    Compare(compare::Args),
    /// Repeat a table or figure of the CKD paper.
    Reproduce(reproduce::Args),
    /// Recommend items to users, strangers or everyone.
    Recommend(Box<recommend::Args>),
    /// Find items like one, or users like one.
    Similar(similar::Args),
    /// Explain why an item is recommended to a user.
    Explain(explain::Args),
    /// Choose the weights of modalities on validation, and how strangers are served.
    Calibrate(calibrate::Args),
    /// Serve models by HTTP.
    Serve(Box<serve::Args>),
    /// Write what users did since training as a table.
    #[command(subcommand)]
    Feedback(feedback::Command),
    /// Write a model for others: a served model, tables, vector databases.
    Export(export::Args),
    /// Add items to a served model by their features alone.
    #[command(subcommand)]
    Items(items::Command),
    /// Do one unit of work that a file specifies, as a scheduler does.
    Task(task::Args),
}

/// Every command that does something by itself, such as `data convert`, hidden ones included.
pub fn commands() -> Vec<String> {
    fn walk(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let below = command.has_subcommands();
        if !path.is_empty() && (!below || !command.is_subcommand_required_set()) {
            found.push(path.to_owned());
        }
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            walk(inner, format!("{path} {}", inner.get_name()).trim(), found);
        }
    }
    let mut found = Vec::new();
    walk(&Cli::command(), "", &mut found);
    found
}

/// The whole program: reads the command line, does what it says, returns the exit code. A program of your own
/// that [registers](equipoise_models::register) a backbone and calls this has every command for it.
pub fn main() -> ExitCode {
    guard::guarded(run)
}

fn run() -> ExitCode {
    signals::tell_faults(failure::FAILED);
    let arguments = match Cli::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap's own: help and version are successes, everything else is bad input.
            let code = if error.use_stderr() { failure::INPUT } else { 0 };
            let words: Vec<String> =
                std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
            let _ = hints::with_hint(error, &Cli::command(), &words).print();
            return ExitCode::from(code);
        }
    };
    match parsed(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::say(&format!("error: {failure}"));
            ExitCode::from(failure.code())
        }
    }
}

/// Does what was asked.
fn parsed(cli: Cli) -> Result<(), Failure> {
    // A server holds its tables for days and frees only what it needed to open them.
    if !matches!(cli.command, Command::Serve(_)) {
        equipoise_train::memory::keep_freed();
    }
    if let Command::Task(_) = &cli.command {
        // Whoever runs tasks gives one again that was stopped.
        interrupt::ends_with(failure::TRY_AGAIN);
        signals::tell_faults(failure::TRY_AGAIN);
    }
    interrupt::listen()?;
    if let Some(threads) = cli.global.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
        pool.map_err(|e| Failure::failed(format!("--threads {threads}: {e}")))?;
    }
    // On a worker thread: otherwise every parallel loop of a step would wake one and wait for it.
    rayon::scope(|_| dispatch(cli))
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Demo(args) => demo::run(&args, &cli.global),
        Command::Run(args) => run::run(&args, &cli.global),
        Command::Data(command) => data::run(&command, &cli.global),
        Command::Features(command) => features::run(&command, &cli.global),
        Command::Backbones => backbones::run(&cli.global),
        Command::Train(args) => train::run(&args, &cli.global),
        Command::Sweep(args) => sweep::run(&args, &cli.global),
        Command::Evaluate(args) => evaluate::run(&args, &cli.global),
        Command::Audit(args) => audit::run(&args, &cli.global),
        Command::Compare(args) => compare::run(&args, &cli.global),
        Command::Reproduce(args) => reproduce::run(&args, &cli.global),
        Command::Recommend(args) => recommend::run(&args, &cli.global),
        Command::Similar(args) => similar::run(&args, &cli.global),
        Command::Explain(args) => explain::run(&args, &cli.global),
        Command::Calibrate(args) => calibrate::run(&args, &cli.global),
        Command::Serve(args) => serve::run(&args, &cli.global),
        Command::Feedback(command) => feedback::run(&command, &cli.global),
        Command::Export(args) => export::run(&args, &cli.global),
        Command::Items(command) => items::run(&command, &cli.global),
        Command::Task(args) => task::run(&args, &cli.global),
    }
}
