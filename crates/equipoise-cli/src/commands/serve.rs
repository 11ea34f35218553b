//! `equipoise serve`

use crate::failure::Failure;
use crate::global::Global;
use crate::interrupt::stop_flag;
use crate::print;

use equipoise_serve::{LogLevel, ModelSource, Pictures, ServeOptions, Server};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The name of a model that was given without one.
const UNNAMED: &str = "default";

/// Serve models by HTTP, until Ctrl-C or SIGTERM.
///
/// The address itself shows a page, /openapi.json describes all paths, /metrics is for Prometheus. Requests under way are answered
/// before the program ends.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  equipoise serve runs/ckd
  equipoise serve runs/ckd --feedback shop.sqlite                    what users do is kept and heeded at once
  equipoise serve plain=runs/plain ckd=runs/ckd --share ckd=0.25     a fifth of the users get the second model")]
pub struct Args {
    /// Runs or served models; those that are served beside another have a name.
    #[arg(required = true, value_name = "[NAME=]MODEL", value_parser = source)]
    models: Vec<ModelSource>,
    /// Share of the users that a model gets, beside a share of 1 for each model that is not named. A user keeps its model.
    #[arg(long, value_name = "NAME=SHARE", value_parser = share)]
    share: Vec<(String, f64)>,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    bind: SocketAddr,
    /// A file with a token on each line. Whoever gives none of them gets nothing but the health of the server.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The SQLite file that feedback is kept in; made if there is none. Without it no feedback is taken.
    #[arg(long, value_name = "FILE")]
    feedback: Option<PathBuf>,
    /// Where the pictures of items on the page come from: a folder in which the items' paths lie, such as `--pictures photos`, or
    /// `--pictures web` for addresses, which readers' browsers then load from wherever the items' data say. None is
    /// shown if this is left out.
    #[arg(long, value_name = "FOLDER|web", value_parser = Pictures::parse)]
    pictures: Option<Pictures>,
    #[command(flatten)]
    limits: Limits,
    /// What is written to stderr, as a line of JSON each: nothing, what happens to models and what fails, or every request as well.
    #[arg(long, value_enum, default_value = "events")]
    log: Lines,
    /// Let the log name users and items.
    #[arg(long)]
    log_ids: bool,
}

/// How much, and for how long.
#[derive(clap::Args)]
#[command(next_help_heading = "Limits")]
struct Limits {
    /// Requests that may wait to be scored; one more is answered with 503.
    #[arg(long, value_name = "N", default_value_t = 1024)]
    queue: usize,
    /// Connections that may be open at once; one more waits.
    #[arg(long, value_name = "N", default_value_t = 1024)]
    connections: usize,
    /// Longest time to answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    timeout: Duration,
    /// Longest time for a client to send a request or to take a piece of the answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    read_timeout: Duration,
    /// Time between two looks at the models' files, in seconds; a model that changed is loaded again. 0 does not look.
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    watch: Duration,
}

/// What is written to the log.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Lines {
    /// Nothing.
    Off,
    /// What happens to models, and what fails.
    Events,
    /// Every request as well.
    Requests,
}

impl From<Lines> for LogLevel {
    fn from(lines: Lines) -> LogLevel {
        match lines {
            Lines::Off => LogLevel::Off,
            Lines::Events => LogLevel::Events,
            Lines::Requests => LogLevel::Requests,
        }
    }
}

fn source(text: &str) -> Result<ModelSource, String> {
    match text.split_once('=') {
        Some((name, path)) if !name.contains(['/', '\\']) => Ok(ModelSource::new(name, PathBuf::from(path))),
        _ => Ok(ModelSource::new(UNNAMED, PathBuf::from(text))),
    }
}

fn share(text: &str) -> Result<(String, f64), String> {
    let (name, number) = text.split_once('=').ok_or("expected NAME=SHARE, such as ckd=0.25")?;
    let share = number.parse().map_err(|_| format!("`{number}` is no number"))?;
    Ok((name.to_owned(), share))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(number).map_err(|_| "expected a number of seconds of at least 0".to_owned())
}

/// The models with their shares.
fn shared(args: &Args) -> Result<Vec<ModelSource>, Failure> {
    let mut models = args.models.clone();
    for (name, share) in &args.share {
        let Some(model) = models.iter_mut().find(|model| model.name == *name) else {
            let names: Vec<&str> = args.models.iter().map(|model| model.name.as_str()).collect();
            let names = names.join(", ");
            return Err(Failure::input(format!("--share {name}: no model of that name; there are {names}")));
        };
        model.share = *share;
    }
    Ok(models)
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let limits = &args.limits;
    let options = ServeOptions {
        models: shared(args)?,
        bind: args.bind,
        pictures: args.pictures.clone().unwrap_or_default(),
        token_file: args.token_file.clone(),
        feedback: args.feedback.clone(),
        threads: global.threads.map(usize::from),
        queue: limits.queue,
        connections: limits.connections,
        timeout: limits.timeout,
        read_timeout: limits.read_timeout,
        watch: (!limits.watch.is_zero()).then_some(limits.watch),
        log: args.log.into(),
        log_ids: args.log_ids,
        ..ServeOptions::default()
    };
    let server = Server::bind(&options)?;
    print::say(&format!("listening on http://{}", server.address()));
    Ok(server.run(&stop_flag())?)
}
