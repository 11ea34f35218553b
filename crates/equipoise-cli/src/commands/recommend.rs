//! `equipoise recommend`

use crate::failure::Failure;
use crate::global::Global;
use crate::interrupt::stop_flag;
use crate::print;
use equipoise_data::read_text;

use clap::ValueEnum;
use equipoise_jobs::Shard;
use equipoise_recommend::{Answer, BasketItem, Batch, IDS, List, OnUnknown, RecommendRequest, ServedModel};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Recommend items: to users, to strangers by their baskets, or to everyone as files.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  equipoise recommend runs/ckd --user u42 --n 10 --explain
  equipoise recommend runs/ckd --history i3,i7 --weights image=0,text=1.5
  equipoise recommend runs/ckd --all-users --n 50 --out recs --shards 64            resumable; --shard 3/64 makes one part")]
pub struct Args {
    /// A run, or a served model.
    model: PathBuf,
    /// Raw id of a user; may be given several times.
    #[arg(long, value_name = "ID")]
    user: Vec<String>,
    /// A file with the raw id of a user on each line.
    #[arg(long, value_name = "FILE")]
    users_file: Option<PathBuf>,
    /// The basket of a stranger: raw ids of items. May be given several times.
    #[arg(long, alias = "basket", value_name = "ID,ID")]
    history: Vec<String>,
    /// A request as a JSON file, `-` for stdin; other flags of requests are not given then.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "users_file", "history", "all_users"])]
    request: Option<PathBuf>,
    /// Everyone, as Parquet files in --out.
    #[arg(long, requires = "out")]
    all_users: bool,
    /// Length of the list [default: 10].
    #[arg(long, alias = "k", value_name = "N")]
    n: Option<usize>,
    /// How many of the best items to leave out before the list begins.
    #[arg(long, value_name = "N")]
    offset: Option<usize>,
    /// Lists may hold what a user has met.
    #[arg(long)]
    with_seen: bool,
    /// Items that are in no list.
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Only these items are candidates.
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    restrict: Vec<String>,
    /// Only items whose attributes pass, as JSON: {"equals": {"brand": "A"}}.
    #[arg(long, value_name = "JSON")]
    filter: Option<String>,
    /// Weights of modalities: 0 silences one, 1 leaves it as it was trained [default: those of the model].
    #[arg(long, value_name = "NAME=X", value_delimiter = ',')]
    weights: Vec<String>,
    /// How much lists avoid items that are like one another, 0 to 1.
    #[arg(long, value_name = "X")]
    diversity: Option<f64>,
    /// Show what ids and each modality add, and what speaks for an item.
    #[arg(long)]
    explain: bool,
    /// What to do about ids that the model does not know.
    #[arg(long, value_enum, default_value = "error")]
    unknown: Unknown,
    /// Directory of the files of --all-users.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Number of files of --all-users.
    #[arg(long, value_name = "N", default_value_t = 1)]
    shards: usize,
    /// Make one of the files, counted from 0: 3/64.
    #[arg(long, value_name = "K/N", conflicts_with = "shards")]
    shard: Option<Shard>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Unknown {
    /// Refuse.
    Error,
    /// The most popular items.
    Popularity,
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let model = ServedModel::open(&args.model)?;
    match &args.out {
        Some(out) if args.all_users => everyone(&model, args, out, global),
        _ => {
            let answer = model.answer(&args.request()?)?;
            if global.json() { print::json(&answer) } else { print::out(&shown(&answer)) }
        }
    }
}

impl Args {
    fn request(&self) -> Result<RecommendRequest, Failure> {
        if let Some(file) = &self.request {
            return read_request(file);
        }
        let mut users = self.user.clone();
        if let Some(file) = &self.users_file {
            let text = read_text(file).map_err(|e| Failure::file(file, &e))?;
            users.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        }
        if users.is_empty() && self.history.is_empty() {
            return Err(Failure::input(
                "nobody to recommend to: give --user ID, --history ID,ID or --all-users",
            ));
        }
        let filter = self.filter.as_ref().map(|text| {
            serde_json::from_str(text).map_err(|e| {
                Failure::input(format!(
                    "--filter: {}; expected such as {{\"equals\": {{\"brand\": \"A\"}}}}",
                    equipoise_data::in_words(&e.to_string())
                ))
            })
        });
        let plain = RecommendRequest::default();
        Ok(RecommendRequest {
            users,
            history: self
                .history
                .iter()
                .map(|ids| ids.split(',').map(|id| BasketItem::Id(id.trim().into())).collect())
                .collect(),
            n: self.n.unwrap_or(plain.n),
            offset: self.offset.unwrap_or(plain.offset),
            exclude_seen: !self.with_seen,
            exclude: self.exclude.clone(),
            restrict: (!self.restrict.is_empty()).then(|| self.restrict.clone()),
            filter: filter.transpose()?,
            modality_weights: weights(&self.weights)?,
            diversity: self.diversity.unwrap_or(plain.diversity),
            explain: self.explain,
            unknown: match self.unknown {
                Unknown::Error => OnUnknown::Error,
                Unknown::Popularity => OnUnknown::Popularity,
            },
            ..plain
        })
    }
}

fn read_request(file: &Path) -> Result<RecommendRequest, Failure> {
    let text = match file.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()).map_err(Failure::failed)?,
        _ => read_text(file).map_err(|e| Failure::file(file, &e))?,
    };
    serde_json::from_str(&text).map_err(|e| Failure::input(format!("{}: {e}", file.display())))
}

/// Reads `image=0,text=1.5`.
pub fn weights(given: &[String]) -> Result<BTreeMap<String, f64>, Failure> {
    let one = |text: &String| {
        let parts =
            text.split_once('=').and_then(|(name, x)| Some((name.trim().to_owned(), x.trim().parse().ok()?)));
        parts.ok_or_else(|| {
            Failure::input(format!("--weights {text:.100}: expected NAME=X, such as image=0.5"))
        })
    };
    given.iter().map(one).collect()
}

/// Lists of everyone are a directory of Parquet files, whatever an ending promises.
fn check_is_directory(out: &Path) -> Result<(), Failure> {
    let ending = out.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("csv" | "tsv" | "txt" | "json" | "jsonl" | "gz") => Err(Failure::input(format!(
            "--out {}: lists of everyone are Parquet files, expected a directory for them; DuckDB, pandas and Polars read it",
            out.display()
        ))),
        _ => Ok(()),
    }
}

fn everyone(model: &ServedModel, args: &Args, out: &Path, global: &Global) -> Result<(), Failure> {
    check_is_directory(out)?;
    let weighed =
        RecommendRequest { modality_weights: weights(&args.weights)?, ..RecommendRequest::default() };
    let model = model.weighted(&weighed)?;
    let shards = args.shard.map_or(args.shards, Shard::of);
    let shard = args.shard.map(Shard::number);
    let batch = Batch { n: args.n.unwrap_or(10), shards, shard, exclude_seen: !args.with_seen };
    let report = model.batch(out, &batch, &stop_flag(), &mut |report| {
        if !global.quiet {
            print::say(&format!("{} of {shards} parts, {} users", report.made + report.there, report.users));
        }
    })?;
    if report.stopped {
        return Err(Failure::interrupted("stopped; the same command goes on"));
    }
    if global.json() {
        return print::json(&report);
    }
    let (made, there) = (report.made, report.there);
    print::out(&format!(
        "{} users; {made} parts made, {there} were there\nlists {}\n",
        report.users,
        out.display()
    ))
}

fn shown(answer: &Answer) -> String {
    answer.lists.iter().map(list).collect::<Vec<_>>().join("\n")
}

fn list(list: &List) -> String {
    let mut text = match &list.user {
        Some(user) => format!("for {user}\n"),
        None => String::new(),
    };
    if list.fallback.is_some() {
        text.push_str("the most popular items: the model does not know who asks\n");
    }
    if !list.ignored.is_empty() {
        text.push_str(&format!("left out, as the model does not know them: {}\n", list.ignored.join(", ")));
    }
    let titles = list.items.iter().any(|item| item.title.is_some());
    let parts: Vec<&String> = list.items.first().map(|item| item.parts.keys().collect()).unwrap_or_default();
    let mut header = vec!["", "item"];
    header.extend(titles.then_some("title"));
    header.push("score");
    // Ids first, then the modalities by name.
    let (ids, others): (Vec<&String>, Vec<&String>) = parts.into_iter().partition(|name| *name == IDS);
    let parts: Vec<&String> = ids.into_iter().chain(others).collect();
    header.extend(parts.iter().map(|name| name.as_str()));
    let rows = list.items.iter().enumerate().map(|(place, item)| {
        let mut row = vec![(place + 1).to_string(), item.id.clone()];
        row.extend(titles.then(|| item.title.clone().unwrap_or_default()));
        row.push(format!("{:.4}", item.score));
        row.extend(parts.iter().map(|name| format!("{:+.4}", item.parts[*name])));
        row
    });
    text.push_str(&print::table(&header, &rows.collect::<Vec<_>>()));
    for item in list.items.iter().filter(|item| !item.because.is_empty()) {
        let because: Vec<String> = (item.because.iter())
            .map(|met| format!("{} ({:.2})", met.title.as_ref().unwrap_or(&met.id), met.likeness))
            .collect();
        text.push_str(&format!(
            "{} is like {}\n",
            item.title.as_ref().unwrap_or(&item.id),
            because.join(", ")
        ));
    }
    text
}
