//! `equipoise compare`

use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use super::opened::open;
use equipoise_report::compare::{Comparison, Row, compare};
use std::path::PathBuf;

/// Compare the test results of two runs user by user.
#[derive(clap::Args)]
#[command(after_help = "\
Paired t test and Wilcoxon signed-rank test over users. The metric that both runs were selected by (`train.metric`) is
tested alone; `p (t, Holm)` of the others is corrected for them as a family. Over many users tiny differences are
significant, and one pair of runs says nothing of the spread between seeds.")]
pub struct Args {
    /// The first run.
    first: PathBuf,
    /// The second run.
    second: PathBuf,
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let comparison = compare(&open(&args.first)?, &open(&args.second)?)?;
    if global.json() { print::json(&comparison) } else { print::out(&text(&comparison)) }
}

fn text(c: &Comparison) -> String {
    let p = |p: f64| if p < 1e-4 { format!("{p:.1e}") } else { format!("{p:.4}") };
    let alone = |row: &Row| c.primary.as_ref() == Some(&row.metric);
    let rows: Vec<Vec<String>> = c
        .rows
        .iter()
        .map(|r| {
            let relative = r.relative.map_or("-".into(), |v| format!("{:+.1} %", 100.0 * v));
            let (first, second) = (format!("{:.4}", r.first), format!("{:.4}", r.second));
            let difference = format!("{:+.4}", r.difference);
            vec![
                r.metric.clone(),
                first,
                second,
                difference,
                relative,
                p(r.p_t),
                if alone(r) { "alone".into() } else { p(r.p_t_holm) },
                p(r.p_wilcoxon),
            ]
        })
        .collect();
    let header =
        ["metric", &c.first, &c.second, "difference", "relative", "p (t)", "p (t, Holm)", "p (Wilcoxon)"];
    let tests = match &c.primary {
        Some(primary) => {
            format!("{primary}, by which both were selected, is tested alone, the others as a family")
        }
        None => "the runs were selected by different metrics: all are tested as one family".into(),
    };
    format!("Test metrics, paired over {} users; {tests}\n{}", c.users, print::table(&header, &rows))
}
