//! `equipoise similar`

use crate::failure::Failure;
use crate::global::Global;
use crate::print;

use equipoise_recommend::ServedModel;
use std::path::PathBuf;

/// Find the items that are most like one, as a whole or by one modality.
#[derive(clap::Args)]
pub struct Args {
    /// A run, or a served model.
    model: PathBuf,
    /// Raw id of the item.
    #[arg(long, value_name = "ID", required_unless_present = "user", conflicts_with = "user")]
    item: Option<String>,
    /// Raw id of a user, to find similar users.
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Compare items by this modality alone.
    #[arg(long, value_name = "NAME", conflicts_with = "user")]
    modality: Option<String>,
    /// How many.
    #[arg(long, alias = "k", value_name = "N", default_value_t = 10)]
    n: usize,
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let model = ServedModel::open(&args.model)?;
    if let Some(user) = &args.user {
        let users = model.similar_users(user, args.n)?;
        if global.json() {
            return print::json(&users);
        }
        let rows: Vec<Vec<String>> = users.into_iter().map(|(id, c)| vec![id, format!("{c:.4}")]).collect();
        return print::out(&print::table(&["user", "cosine"], &rows));
    }
    let item = args.item.as_ref().expect("clap wants one of the two");
    let items = model.similar_items(item, args.n, args.modality.as_deref())?;
    if global.json() {
        return print::json(&items);
    }
    let titles = items.iter().any(|item| item.title.is_some());
    let mut header = vec!["item"];
    header.extend(titles.then_some("title"));
    header.push("cosine");
    let row = |item: equipoise_recommend::ListItem| {
        let title = titles.then(|| item.title.unwrap_or_default());
        [item.id].into_iter().chain(title).chain([format!("{:.4}", item.score)]).collect()
    };
    let rows: Vec<Vec<String>> = items.into_iter().map(row).collect();
    print::out(&print::table(&header, &rows))
}
