//! `equipoise reproduce`

mod progress;

use super::settings::pair;
use crate::failure::Failure;
use crate::global::Global;
use crate::interrupt::stop_flag;
use crate::print;
use crate::process::Processes;
use clap::builder::RangedU64ValueParser;

use equipoise_jobs::{Lock, StopFlag};
use equipoise_recommend::RecommendError;
use equipoise_study::jobs::{Runner, Scheduler};
use equipoise_study::reproduce as lab;
use equipoise_study::reproduce::{
    Choose, DataFacts, Paper, PaperFiles, Reproduction, ReproductionPlan, SettledCell, TableSpec,
};
use equipoise_study::search::Point;
use equipoise_train::DataConfig;
use equipoise_train::config::Layers;
use progress::Overview;
use serde_json::json;
use std::num::NonZero;
use std::path::{Path, PathBuf};

/// Repeat a table or figure of the CKD paper (ACM MM 2024) and set the results beside the published ones.
///
/// For every backbone and method, settings are searched on validation with one seed, then every seed is trained and tested.
/// Plain runs and teachers are shared between tables in one --out. Finished runs are not run again: after any
/// interruption, the same command goes on where it was.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Writes <table>.md, .html, .csv (means and tests), -runs.csv (every seed) and -costs.csv into --out, for a figure also .svg, and the
runs below --out/runs. A failed run is named in the table and does not stop the others.

  equipoise reproduce table1 --data data --dataset baby --backbones vbpr --methods ckd --seeds 5 --out paper
  equipoise reproduce results paper more             # the tables of several folders as Markdown")]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    table: Option<TableArgs>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Print the tables of one or several --out folders as Markdown.
    Results(ResultsArgs),
}

/// Which folders.
#[derive(clap::Args)]
struct ResultsArgs {
    /// Folders that `reproduce` wrote; p values are corrected within each.
    #[arg(required = true)]
    out: Vec<PathBuf>,
    /// Folder of a run that was made for its costs: seconds per epoch and memory come from there.
    #[arg(long, value_name = "OUT")]
    costs: Option<PathBuf>,
}

/// What is repeated, on which data.
#[derive(clap::Args)]
struct TableArgs {
    /// What to repeat: fig1, table1, table2 or table3; of --study, the name of one of its tables.
    #[arg(required = true)]
    table: String,
    /// Folder with a study of your own: paper.toml and tables, as in experiments/real-data.
    #[arg(long, value_name = "DIR")]
    study: Option<PathBuf>,
    /// Folder with one folder per data set (or a data set itself).
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Data sets, by the names of their folders; the paper's are baby, sports, clothing, beauty.
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1.., required = true)]
    dataset: Vec<String>,
    /// Backbones [default: those of the table].
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1..)]
    backbones: Vec<String>,
    /// Methods [default: those of the table]; the one they are compared with is always run.
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1..)]
    methods: Vec<String>,
    /// Seeds 1 to N.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..100))]
    seeds: u64,
    /// Seeds that measure each point of a search, from 100 on: the mean of their validation metrics decides.
    #[arg(long, value_name = "N", default_value = "1", value_parser = RangedU64ValueParser::<NonZero<u64>>::new().range(1..100))]
    search_seeds: NonZero<u64>,
    /// How far settings are searched: small (a few runs per method) or full (the paper's grids).
    #[arg(long, default_value = "small")]
    budget: String,
    /// Where runs and pages go.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Runs at a time, each in a process of its own; --threads says how many threads each has.
    #[arg(long, value_name = "N", default_value_t = NonZero::<usize>::MIN)]
    jobs: NonZero<usize>,
    /// Where runs are carried out: ray or ray:ADDRESS (with the Python package), or a command that is given the arguments of this
    /// program, such as "srun --cpus-per-task 4 equipoise". All machines must see --data and --out at the same paths.
    #[arg(long, value_name = "WHERE")]
    on: Option<String>,
    /// A setting of every run, which is then not searched, such as `--set train.lr=0.001` or `--set data.scale=l2`: a dotted key of a
    /// configuration and its value in TOML, where quotes of a word may be left out; may be given several times. What makes a variant
    /// of CKD (its generic loss left out, say) stands.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Run nothing; write the pages from the runs that are there.
    #[arg(long)]
    only_report: bool,
    /// Run again what failed before.
    #[arg(long)]
    retry_failed: bool,
    /// Leave the paper's numbers out.
    #[arg(long)]
    without_published: bool,
}

/// Keys that the cells decide.
const TAKEN: [&str; 7] = [
    "seed",
    "data.path",
    "backbone.name",
    "balance.name",
    "balance.teachers",
    "balance.teacher.lr",
    "balance.teacher.reg",
];

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    match (&args.command, &args.table) {
        (Some(Command::Results(args)), _) => {
            print::out(&lab::digest(&args.out, args.costs.as_deref()).map_err(Failure::input)?)
        }
        (None, Some(args)) => repeat(args, global),
        (None, None) => Err(Failure::input("expected a table, such as table1, or results")),
    }
}

fn repeat(args: &TableArgs, global: &Global) -> Result<(), Failure> {
    let own = args.study.as_deref().map(PaperFiles::read).transpose().map_err(Failure::input)?;
    let (paper, tables) =
        own.as_ref().map_or((lab::paper(), lab::tables()), |own| (&own.paper, &own.tables[..]));
    let plan = plan(args, paper, tables)?;
    let _lock = if args.only_report { None } else { Some(only_one(&args.out)?) };
    let stop = stop_flag();
    let done = carry_out(args, global, paper, &plan, &stop)?;
    let blocks = lab::gather(paper, &plan, done.settled, !args.without_published);
    let pages = lab::Pages::new(paper, &plan, blocks);
    let kept = kept(&pages, &args.out);
    if kept.is_none() {
        let written = pages.write(&args.out).map_err(|(path, e)| Failure::file(&path, &e))?;
        show(&pages, &written, global)?;
    }
    if stop.is_raised() {
        return Err(Failure::interrupted("stopped; the same command goes on with what is missing"));
    }
    done.calibrated?;
    if let Some(before) = kept {
        let before = before.display();
        return Err(Failure::failed(format!(
            "no run has a result: {before} and the files beside it are kept"
        )));
    }
    match done.failed {
        0 => Ok(()),
        n => Err(Failure::failed(format!("{n} runs failed; the pages say which, and why"))),
    }
}

/// The page of before, where no run has a result that could replace it.
fn kept(pages: &lab::Pages, out: &Path) -> Option<PathBuf> {
    Some(pages.markdown_file(out)).filter(|page| pages.are_empty() && page.exists())
}

/// What became of a plan's runs.
struct Done {
    settled: Vec<SettledCell>,
    failed: usize,
    /// Whether every model that was to be calibrated could be.
    calibrated: Result<(), RecommendError>,
}

fn carry_out(
    args: &TableArgs,
    global: &Global,
    paper: &Paper,
    plan: &ReproductionPlan,
    stop: &StopFlag,
) -> Result<Done, Failure> {
    // Runs are looked after many times a second.
    let _attended = stop.attend();
    let threads = global.threads.unwrap_or_else(|| shared_threads(args.jobs));
    let processes =
        args.on.as_ref().map_or_else(|| Processes::new(threads), |on| Processes::through(on, threads))?;
    let mut overview = Overview::new(global.quiet || args.only_report, args.jobs);
    let runner: Option<&dyn Runner> = if args.only_report { None } else { Some(&processes) };
    let scheduler = Scheduler::new(runner, &mut overview, stop, args.jobs, args.retry_failed);
    let settled = Reproduction::new(paper, plan, &scheduler).carry_out();
    drop(scheduler);
    overview.close();
    let calibrated = if args.only_report {
        Ok(())
    } else {
        lab::calibrate_runs(plan, &settled, stop, &mut |text| overview.say(&text))
    };
    Ok(Done { settled, failed: overview.failed(), calibrated })
}

/// The entry of that name among those that there are.
fn named<'t, T>(what: &str, name: &str, mut entries: Vec<(&str, &'t T)>) -> Result<&'t T, Failure> {
    let known: Vec<&str> = entries.iter().map(|(name, _)| *name).collect();
    let unknown = format!("{what} {name}: expected {}", known.join(", "));
    entries.retain(|(known, _)| *known == name);
    entries.first().map(|(_, entry)| *entry).ok_or_else(|| Failure::input(unknown))
}

fn plan<'p>(
    args: &TableArgs,
    paper: &'p Paper,
    tables: &'p [TableSpec],
) -> Result<ReproductionPlan<'p>, Failure> {
    let table = named("table", &args.table, tables.iter().map(|t| (t.name.as_str(), t)).collect())?;
    let budget =
        named("--budget", &args.budget, paper.search.iter().map(|(name, b)| (name.as_str(), b)).collect())?;
    let user = settings(&args.set)?;
    let choose = Choose { backbones: args.backbones.clone(), methods: args.methods.clone() };
    let mut names: Vec<String> = Vec::new();
    for name in &args.dataset {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let cells = lab::expand(paper, table, &choose, &names).map_err(Failure::input)?;
    let like = data_settings(&user)?;
    let read = |name: &String| DataFacts::read(&args.data, name, &like);
    let data = names.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    lab::one_family(&data, paper, !args.without_published).map_err(Failure::input)?;
    let out = std::path::absolute(&args.out).map_err(|e| Failure::input(format!("--out: {e}")))?;
    let (seeds, search_seeds) = (args.seeds, args.search_seeds);
    Ok(ReproductionPlan { table, cells, data, seeds, search_seeds, budget, user, out })
}

/// What `--set` says.
fn settings(list: &[String]) -> Result<Point, Failure> {
    let mut settings = Vec::new();
    for text in list {
        let (key, value) = pair(text)?;
        if TAKEN.contains(&key.as_str()) {
            return Err(Failure::input(format!(
                "--set {key}: every cell has its own; it cannot be set for all"
            )));
        }
        settings.push((key, value));
    }
    Ok(Point::new(settings))
}

/// Which modalities, at which scale; unknown keys and wrong values are found here, before anything runs.
fn data_settings(user: &Point) -> Result<DataConfig, Failure> {
    let set = |layers: Layers, (key, value): &(String, toml::Value)| {
        layers.set(key, value.clone(), format!("--set {key}"))
    };
    Ok(user.settings().iter().try_fold(Layers::new(), set)?.resolve()?.into_inner().data)
}

/// Claims the directory, so that two programs do not run the same runs at once.
fn only_one(out: &Path) -> Result<Lock, Failure> {
    Ok(Lock::take(&out.join(".lock"))?)
}

/// The cores, divided among the jobs.
fn shared_threads(jobs: NonZero<usize>) -> u16 {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    u16::try_from((cores / jobs).max(1)).unwrap_or(u16::MAX)
}

fn show(pages: &lab::Pages, written: &[PathBuf], global: &Global) -> Result<(), Failure> {
    if global.json() {
        return print::json(&json!({ "headline": pages.headline(), "files": written }));
    }
    let mut text = String::new();
    for sentence in pages.headline() {
        text += &format!("{sentence}\n");
    }
    for path in written {
        text += &format!("written {}\n", path.display());
    }
    print::out(&text)
}
