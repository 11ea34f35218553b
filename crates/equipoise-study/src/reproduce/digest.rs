//! The tables of several folders side by side, as Markdown: a row for each backbone and method.
//!
//! Reads what [`Pages`](super::Pages) wrote: `table1.csv`, `table2.csv`, `table3.csv` and `table1-costs.csv`. P values are
//! corrected within each folder.

use equipoise_models::built_in;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Methods in the order of the tables, by name and in print.
const METHODS: [(&str, &str); 8] = [
    ("none", "plain"),
    ("gb", "GB"),
    ("ogm", "OGM"),
    ("ckd", "CKD"),
    ("ckd-no-generic", "CKD, no generic loss"),
    ("ckd-no-reweight", "CKD, no re-weighting"),
    ("ckd-kl", "CKD, KL divergence"),
    ("ckd-mse", "CKD, squared error"),
];

/// A line of a CSV file by the names of its columns.
type Fields = BTreeMap<String, String>;

/// A section for every table that is there. Seconds per epoch and memory are those of `costs`, if given: the folder of a run
/// that was made for its costs alone.
///
/// # Errors
/// If a file cannot be read or lacks a column; with its path.
pub fn digest(folders: &[PathBuf], costs: Option<&Path>) -> Result<String, String> {
    let timed = costs.map_or_else(|| folders.to_vec(), |costs| vec![costs.to_owned()]);
    let sections: [(&str, Section, &[PathBuf], &str); 5] = [
        ("Plain and balanced", |rows| metrics(rows, "none"), folders, "table1.csv"),
        ("Channels and teachers", channels, folders, "table2.csv"),
        ("Parts of the distillation", |rows| metrics(rows, "ckd"), folders, "table3.csv"),
        ("Costs", spent, &timed, "table1-costs.csv"),
        ("Settings found", settings, folders, "table1-costs.csv"),
    ];
    if let Some(folder) = folders.iter().chain(&timed).find(|folder| !folder.is_dir()) {
        return Err(format!(
            "{}: no such folder; give one that `equipoise reproduce` wrote",
            folder.display()
        ));
    }
    let mut text = String::new();
    for (title, section, folders, name) in sections {
        let mut rows = Vec::new();
        for folder in folders {
            let more = read(&folder.join(name))?;
            apart(&rows, &more, &folder.join(name))?;
            rows.extend(more);
        }
        let of_data = by_data(rows);
        for (dataset, rows) in &of_data {
            let table = section(rows).map_err(|column| format!("{name}: no column or quantity {column}"))?;
            let of = if of_data.len() > 1 { format!(" ({dataset})") } else { String::new() };
            text += &format!("### {title}{of}\n\n{table}\n");
        }
    }
    Ok(text)
}

/// A table of the rows of a file, or the column that it lacks.
type Section = fn(&[Fields]) -> Result<String, String>;

/// Rows by data set, in the order in which data sets come up.
fn by_data(rows: Vec<Fields>) -> Vec<(String, Vec<Fields>)> {
    let mut groups: Vec<(String, Vec<Fields>)> = Vec::new();
    for row in rows {
        let dataset = row.get("dataset").cloned().unwrap_or_default();
        match groups.iter_mut().find(|(name, _)| *name == dataset) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((dataset, vec![row])),
        }
    }
    groups
}

/// Refuses a file with a cell that another folder has as well: only one of the two could be shown.
fn apart(known: &[Fields], more: &[Fields], file: &Path) -> Result<(), String> {
    let cell =
        |row: &Fields| ["dataset", "backbone", "method", "quantity", "seed"].map(|key| row.get(key).cloned());
    let known: BTreeSet<_> = known.iter().map(cell).collect();
    let Some(twice) = more.iter().map(cell).find(|cell| known.contains(cell)) else { return Ok(()) };
    let named: Vec<String> = twice.into_iter().flatten().collect();
    Err(format!("{}: another folder has {} as well; give one of the two", file.display(), named.join(" ")))
}

/// The lines of a CSV file; none if it is not there.
fn read(path: &Path) -> Result<Vec<Fields>, String> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut records = records(&text).into_iter();
    let header = records.next().unwrap_or_default();
    Ok(records.map(|record| header.iter().cloned().zip(record).collect()).collect())
}

/// The records of a text.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let records = reader.records().map(|record| record.expect("a text in memory can be read"));
    records.map(|record| record.iter().map(str::to_owned).collect()).collect()
}

fn field<'r>(row: &'r Fields, column: &str) -> Result<&'r str, String> {
    row.get(column).map(String::as_str).ok_or_else(|| format!("`{column}`"))
}

fn number(row: &Fields, column: &str) -> Result<Option<f64>, String> {
    let text = field(row, column)?;
    let number = || text.parse().map_err(|_| format!("`{column}` with numbers ({text:?})"));
    if text.is_empty() { Ok(None) } else { number().map(Some) }
}

/// Mean ± standard deviation over seeds, or why there is none.
fn spread(row: &Fields) -> Result<String, String> {
    match number(row, "mean")? {
        Some(mean) => Ok(format!("{mean:.4} ± {:.4}", number(row, "deviation")?.unwrap_or(0.0))),
        None => Ok(field(row, "problem")?.to_owned()),
    }
}

/// A signed change, or nothing.
fn percent(row: &Fields, column: &str) -> Result<String, String> {
    let percent = |value: f64| format!("{:+.1} %", 100.0 * value).replace('-', "−");
    Ok(number(row, column)?.map_or_else(String::new, percent))
}

/// A p value, or nothing.
fn chance(row: &Fields, column: &str) -> Result<String, String> {
    Ok(match number(row, column)? {
        None => String::new(),
        Some(p) if p < 1e-4 => "<0.0001".into(),
        Some(p) => format!("{p:.4}"),
    })
}

/// A backbone and a method in print with the lines of both, in the order of the tables.
fn by_method(rows: &[Fields]) -> Vec<(&'static str, &'static str, &'static str, Vec<&Fields>)> {
    let mut groups = Vec::new();
    for backbone in built_in() {
        for (method, title) in METHODS {
            let is_of = |row: &&Fields| {
                row.get("backbone").is_some_and(|b| b == backbone.name)
                    && row.get("method").is_some_and(|m| m == method)
            };
            let found: Vec<&Fields> = rows.iter().filter(is_of).collect();
            if !found.is_empty() {
                groups.push((backbone.title, method, title, found));
            }
        }
    }
    groups
}

/// A Markdown table; the name of a backbone stands in its first row alone.
fn table(header: &[&str], body: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|{}\n", header.join(" | "), "---|".repeat(header.len()));
    for (k, row) in body.iter().enumerate() {
        let repeated = k > 0 && body[k - 1][0] == row[0];
        let first = if repeated { "" } else { row[0].as_str() };
        let cells: Vec<&str> = std::iter::once(first).chain(row[1..].iter().map(String::as_str)).collect();
        text += &format!("| {} |\n", cells.join(" | "));
    }
    text
}

/// Table 1 or 3.
fn metrics(rows: &[Fields], reference: &str) -> Result<String, String> {
    let mut body = Vec::new();
    for (backbone, method, title, mine) in by_method(rows) {
        let of = |quantity: &str| {
            mine.iter().rev().find(|row| row.get("quantity").is_some_and(|q| q == quantity)).copied()
        };
        let recall = of("recall@20").ok_or("`recall@20`")?;
        let tested = |row: &Fields, column: &str| {
            if method == reference { Ok(String::new()) } else { percent(row, column) }
        };
        let mut fields = vec![backbone.to_owned(), title.to_owned(), spread(recall)?];
        fields.extend([tested(recall, "change")?, tested(recall, "published_change")?]);
        fields.extend([chance(recall, "p_users")?, chance(recall, "p_seeds")?]);
        if let Some(ndcg) = of("ndcg@20") {
            fields.extend([spread(ndcg)?, tested(ndcg, "change")?]);
        }
        body.push(fields);
    }
    let header = ["backbone", "method", "recall@20", "change", "in the paper", "p, users", "p, seeds"];
    let more: &[&str] =
        if body.iter().any(|row| row.len() > header.len()) { &["NDCG@20", "change"] } else { &[] };
    Ok(table(&[&header, more].concat(), &body))
}

/// Table 2: a row for each modality, a column for each method.
fn channels(rows: &[Fields]) -> Result<String, String> {
    let is = |row: &Fields, column: &str, value: &str| row.get(column).is_some_and(|found| found == value);
    let methods: Vec<(&str, &str)> =
        METHODS.into_iter().filter(|(method, _)| rows.iter().any(|row| is(row, "method", method))).collect();
    let mut body = Vec::new();
    for backbone in built_in() {
        let mine: Vec<&Fields> = rows.iter().filter(|row| is(row, "backbone", backbone.name)).collect();
        let mut quantities: Vec<&str> = Vec::new();
        for row in &mine {
            let quantity = field(row, "quantity")?;
            if !quantities.contains(&quantity) {
                quantities.push(quantity);
            }
        }
        for quantity in quantities {
            let of = |method: &str| {
                let found = |row: &&&Fields| is(row, "quantity", quantity) && is(row, "method", method);
                mine.iter().rev().find(found).copied()
            };
            let channel = quantity.split_whitespace().next().unwrap_or_default();
            let mut cells = vec![backbone.title.to_owned(), channel.to_owned()];
            for (method, _) in &methods {
                cells.push(of(method).map_or(Ok(String::new()), spread)?);
            }
            cells.push(of("ckd").map_or(Ok(String::new()), |row| percent(row, "change"))?);
            let level = of("teacher").map_or(Ok(None), |row| number(row, "mean"))?;
            cells.push(level.map_or_else(String::new, |mean| format!("{mean:.4}")));
            body.push(cells);
        }
    }
    let mut header = vec!["backbone", "channel"];
    header.extend(methods.iter().map(|(_, title)| title));
    header.extend(["change by CKD", "teacher"]);
    Ok(table(&header, &body))
}

/// Seconds per epoch and peak memory, means over seeds.
fn spent(rows: &[Fields]) -> Result<String, String> {
    let mut body = Vec::new();
    for (backbone, _, title, mine) in by_method(rows) {
        let mean = |column: &str| -> Result<f64, String> {
            let mut sum = 0.0;
            for row in &mine {
                sum += number(row, column)?.unwrap_or(0.0);
            }
            Ok(sum / mine.len() as f64)
        };
        let (seconds, memory) = (mean("seconds_per_epoch")?, mean("peak_memory_bytes")?);
        let numbers = [format!("{seconds:.2}"), format!("{:.0}", memory / f64::from(1 << 20))];
        body.push([&[backbone.to_owned(), title.to_owned()], &numbers[..]].concat());
    }
    Ok(table(&["backbone", "method", "seconds per epoch", "peak memory, MiB"], &body))
}

/// What the searches found.
fn settings(rows: &[Fields]) -> Result<String, String> {
    let mut body = Vec::new();
    for (backbone, _, title, mine) in by_method(rows) {
        let mut epochs = Vec::new();
        for row in &mine {
            epochs.push(format!("{:.0}", number(row, "epochs")?.ok_or("`epochs` with numbers")?));
        }
        let found = format!("`{}`", field(mine[0], "settings")?);
        body.push(vec![backbone.to_owned(), title.to_owned(), found, epochs.join(", ")]);
    }
    Ok(table(&["backbone", "method", "settings found", "epochs of each seed"], &body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_commas_breaks_and_quotes() {
        let found = records("a,b\n\"x, y\",\"say \"\"no\"\"\nplease\"\r\n1,\n");
        let wanted = [vec!["a", "b"], vec!["x, y", "say \"no\"\nplease"], vec!["1", ""]];
        assert_eq!(found, wanted.map(|record| record.into_iter().map(String::from).collect::<Vec<_>>()));
    }
}
