//! A message is short, whatever is in the file.

use std::path::{Path, PathBuf};

use equipoise_data::formats::{Cells, read_cells, write_npy};
use equipoise_data::{Columns, Features, Ids, LoadOptions, SplitRule, Vocabulary, check, load};
use tempfile::TempDir;

/// Longest message in bytes, without the path.
const MOST: usize = 1000;

/// Texts of 400 KB: letters, what a message escapes, what takes several bytes.
fn long() -> [String; 3] {
    ["x", "\u{202e}", "漢"].map(|c| c.repeat(400_000 / c.len()))
}

/// A directory with these files, and two rows of features.
fn dir(files: &[(&str, String)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in files {
        let file = dir.path().join(name);
        std::fs::create_dir_all(file.parent().expect("inside")).expect("created");
        std::fs::write(file, text).expect("written");
    }
    let features = Features::new(2, 1, vec![1.0, 2.0]).expect("finite");
    write_npy(&dir.path().join("text_feat.npy"), &features).expect("written");
    dir
}

fn short(message: &str, place: &Path, what: &str) {
    let length = message.replace(&place.display().to_string(), "").len();
    assert!(length < MOST, "{what}: {length} bytes: {}", &message[..message.len().min(3000)]);
}

fn options() -> LoadOptions {
    LoadOptions { split: Some(SplitRule::Lattice), ..LoadOptions::default() }
}

/// Loading and checking these files fails in short words.
fn fails(what: &str, files: &[(&str, String)], options: &LoadOptions) {
    let dir = dir(files);
    let mut tables = files
        .iter()
        .map(|(name, _)| dir.path().join(name))
        .filter(|file| file.extension().is_some_and(|e| e == "csv"));
    let path: PathBuf = tables.next_back().unwrap_or_else(|| dir.path().to_owned());
    let error = load(&path, options).err().unwrap_or_else(|| panic!("{what}: accepted"));
    short(&error.to_string(), dir.path(), what);
    let report = check(&path, options);
    assert!(!report.faults.is_empty(), "{what}");
    report.faults.iter().chain(&report.notes).for_each(|message| short(message, dir.path(), what));
}

#[test]
fn tables() {
    for x in long() {
        let many = vec![x[..60].to_owned(); 5_000].join(",");
        let columns = Columns { user: Some(x.clone()), ..Columns::default() };
        let unknown = LoadOptions { columns, ..options() };
        let table = |text: String| [("t.csv", text)];
        for (what, text) in [
            ("a header", format!("{x},item\na,b\n")),
            ("many columns", format!("{many}\n{many}\n")),
            ("one column", format!("{x}\na\n")),
            ("columns of one name", format!("user,item,{x}\na,b\n")),
            ("a rating", format!("user,item,rating\na,b,{x}\n")),
            ("a moment", format!("user,item,timestamp\na,b,{x}\n")),
            ("a split", format!("user,item,split\na,b,{x}\n")),
            ("an id over lines", format!("user,item\na,\"{x}\n{x}\"\n")),
            ("an open quote", format!("user,item\na,\"{x}\nb,c\n")),
            ("an id in an open quote", format!("user\titem\na\t\"{x}\n")),
            ("ids without features", format!("user,item\n{x},{x}\n")),
        ] {
            fails(what, &table(text), &options());
        }
        fails("a column that is asked for", &table("user,item\na,b\n".into()), &unknown);
    }
}

#[test]
fn layouts() {
    let plain = LoadOptions::default();
    let splits = |train: String| {
        let empty = || "{}".to_owned();
        [("5-core/train.json", train), ("5-core/val.json", empty()), ("5-core/test.json", empty())]
    };
    let sound = || splits("{\"0\": [0, 1]}".into());
    for x in long() {
        for (what, text) in [
            ("a key", format!("{{\"{x}\": [0]}}")),
            ("an entry", format!("{{\"0\": [\"{x}\"]}}")),
            ("a value", format!("{{\"0\": \"{x}\"}}")),
            ("no object", format!("\"{x}\"")),
        ] {
            fails(what, &splits(text), &plain);
        }
        for (what, name, text) in [
            ("a line of ids", "5-core/item_list.txt", format!("a\t0\n{x}\n")),
            ("an id that is taken", "5-core/item_list.txt", format!("{x}\t0\n{x}\t0\n")),
            ("an id twice", "5-core/item_list.txt", format!("{x}\t0\n{x}\t1\n")),
            ("a category's key", "5-core/categories.json", format!("{{\"{x}\": \"a\"}}")),
            ("a category", "5-core/categories.json", format!("{{\"0\": {{\"{x}\": 1}}}}")),
            ("a missing item", "text_missing.json", format!("[\"{x}\"]")),
        ] {
            let files: Vec<_> = sound().into_iter().chain([(name, text)]).collect();
            fails(what, &files, &plain);
        }
        for (what, text) in [
            ("mmrec: a header", format!("{x}\n")),
            ("mmrec: columns", format!("userID\titemID\t{x}\n0\t0\t0\n")),
            ("mmrec: an id", format!("userID\titemID\tx_label\n{x}\t0\t0\n")),
            ("mmrec: a label", format!("userID\titemID\tx_label\n0\t0\t{x}\n")),
            ("mmrec: a line", format!("userID\titemID\tx_label\n{x}\n")),
            ("recbole: columns", format!("user_id:token\t{x}\na\tb\n")),
            ("recbole: a rating", format!("user_id:token\titem_id:token\trating:float\na\tb\t{x}\n")),
            ("recbole: a moment", format!("user_id:token\titem_id:token\ttimestamp:float\na\tb\t{x}\n")),
            ("recbole: a split", format!("user_id:token\titem_id:token\tsplit:token\na\tb\t{x}\n")),
        ] {
            fails(what, &[("d.inter", text)], &plain);
        }
        let twice = [
            ("d.inter", "user_id:token\titem_id:token\na\tb\n".to_owned()),
            ("d.item", format!("item_id:token\n{x}\n{x}\n")),
        ];
        fails("recbole: an item twice", &twice, &options());
        let message =
            Vocabulary::new([&x, &x].into_iter().collect(), Ids::default()).expect_err("twice").to_string();
        short(&message, Path::new("/"), "a vocabulary");
    }
}

#[test]
fn tables_of_items() {
    for x in long() {
        let many: Vec<String> = (0..5_000).map(|n| format!("\"{}{n}\": 1", &x[..60])).collect();
        for (what, name, text) in [
            ("a header", "t.csv", format!("{x},b\n1,2\n")),
            ("no text", "t.csv", format!("id,{x}\n1,2\n")),
            ("an id over lines", "t.csv", format!("id,text\n\"{x}\n{x}\",b\n")),
            ("a key", "t.jsonl", format!("{{\"{x}\": 1}}\n")),
            ("many keys", "t.jsonl", format!("{{{}}}\n", many.join(","))),
            ("no id", "t.jsonl", format!("{{\"id\": {{\"{x}\": 1}}, \"text\": \"a\"}}\n")),
            ("no JSON", "t.jsonl", format!("{{\"{x}\"\n")),
            ("no object", "t.jsonl", format!("\"{x}\"\n")),
            ("an element", "t.json", format!("[\"{x}\"]")),
            ("no array", "t.json", format!("[{{}} {x}]")),
        ] {
            let dir = dir(&[(name, text)]);
            let found = read_cells(&dir.path().join(name), &Cells::default(), &mut |_, _| Ok(()));
            let message = found.err().unwrap_or_else(|| panic!("{what}: accepted")).to_string();
            short(&message, dir.path(), what);
        }
        let cells = Cells { id: Some(x.clone()), columns: vec![x.clone()], ..Cells::default() };
        for (name, text) in [("t.csv", "a,b\n1,2\n"), ("t.jsonl", "{\"a\": 1}\n")] {
            let dir = dir(&[(name, text.into())]);
            let found = read_cells(&dir.path().join(name), &cells, &mut |_, _| Ok(()));
            short(&found.expect_err("no such column").to_string(), dir.path(), name);
        }
    }
}
