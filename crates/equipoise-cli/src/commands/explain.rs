//! `equipoise explain`

use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use equipoise_recommend::{Explanation, ServedModel};
use std::path::PathBuf;

/// Explain why an item is recommended to a user: the parts of its score, and its place without each modality.
#[derive(clap::Args)]
pub struct Args {
    /// A run, or a served model.
    model: PathBuf,
    /// Raw id of the user.
    #[arg(long, value_name = "ID")]
    user: String,
    /// Raw id of the item.
    #[arg(long, value_name = "ID")]
    item: String,
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let explanation = ServedModel::open(&args.model)?.explain(&args.user, &args.item)?;
    if global.json() { print::json(&explanation) } else { print::out(&shown(&explanation)) }
}

fn shown(found: &Explanation) -> String {
    let place = |rank: &Option<usize>| rank.map_or("met already".into(), |rank| rank.to_string());
    let title = found.title.as_ref().map_or(String::new(), |title| format!(" ({title})"));
    let mut text = format!(
        "{}{title} for {}: score {:.4}, place {}\n\n",
        found.item,
        found.user.as_deref().unwrap_or("a stranger"),
        found.score,
        place(&found.rank)
    );
    let rows: Vec<Vec<String>> = (found.parts.iter())
        .map(|(name, part)| {
            let without = found.without.get(name).map_or("-".into(), |score| format!("{score:.4}"));
            let rank = found.rank_without.get(name).map_or("-".into(), place);
            vec![name.clone(), format!("{part:+.4}"), without, rank]
        })
        .collect();
    text.push_str(&print::table(&["", "adds", "score without", "place without"], &rows));
    for met in &found.because {
        let by: Vec<String> = met.by_modality.iter().map(|(name, c)| format!("{name} {c:.2}")).collect();
        let name = met.title.as_ref().unwrap_or(&met.id);
        text.push_str(&format!(
            "like {name}, which the user has met: cosine {:.2} ({})\n",
            met.likeness,
            by.join(", ")
        ));
    }
    text
}
