//! One table, written in every way in which programs write text, gives the same records.

use std::io::Write;
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use equipoise_data::formats::{Cells, Faults, TableOptions, read_cells, read_table};
use equipoise_data::{Columns, Quotes, Separator, SplitRule, TextOptions};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use tempfile::TempDir;

/// A table of items: a title and an id in each row.
type Rows = Vec<(String, String)>;

/// A way of writing a table.
#[derive(Clone, Debug)]
struct Way {
    separator: &'static str,
    quoting: Quoting,
    end: &'static str,
    encoding: Encoded,
    gzip: Gzip,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Quoting {
    /// No cell is quoted.
    None,
    /// Cells that need it.
    Needed,
    /// Every cell.
    All,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Encoded {
    Plain,
    Marked,
    Utf16 { big: bool, mark: bool },
    Told(&'static str),
}

#[derive(Clone, Copy, Debug)]
enum Gzip {
    No,
    One,
    ManyAndPadding,
}

impl Way {
    fn cell(&self, text: &str) -> String {
        let needed = text.contains(self.separator)
            || text.contains(['"', '\n', '\r'])
            || text.is_empty()
            || (self.separator == " " && text.contains(char::is_whitespace));
        match self.quoting {
            Quoting::All => format!("\"{}\"", text.replace('"', "\"\"")),
            Quoting::Needed if needed => format!("\"{}\"", text.replace('"', "\"\"")),
            Quoting::Needed | Quoting::None => text.to_owned(),
        }
    }

    fn text(&self, header: [&str; 2], rows: &Rows) -> String {
        let line = |cells: [&str; 2]| cells.map(|cell| self.cell(cell)).join(self.separator) + self.end;
        let rows: String = rows.iter().map(|(a, b)| line([a, b])).collect();
        format!("{}{rows}{}", line(header), self.end)
    }

    fn bytes(&self, text: &str) -> Vec<u8> {
        let bytes = match self.encoding {
            Encoded::Plain => text.as_bytes().to_vec(),
            Encoded::Marked => format!("\u{feff}{text}").into_bytes(),
            Encoded::Utf16 { big, mark } => {
                let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
                units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
            }
            Encoded::Told(label) => {
                let encoding = Encoding::for_label(label.as_bytes()).expect("a label");
                encoding.encode(text).0.into_owned()
            }
        };
        let packed = |bytes: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        };
        match self.gzip {
            Gzip::No => bytes,
            Gzip::One => packed(&bytes),
            Gzip::ManyAndPadding => {
                let (one, two) = bytes.split_at(bytes.len() / 2);
                [packed(one), packed(two), vec![0; 512]].concat()
            }
        }
    }

    fn told(&self) -> TextOptions {
        let encoding = match self.encoding {
            Encoded::Told(label) => Some(label.parse().expect("a label")),
            _ => None,
        };
        TextOptions { encoding, ..TextOptions::default() }
    }
}

fn ways() -> impl Strategy<Value = Way> {
    let separator = prop::sample::select(vec![",", ";", "\t", "|", "::", " "]);
    let quoting = prop::sample::select(vec![Quoting::None, Quoting::Needed, Quoting::All]);
    let end = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    let mut encodings = vec![Encoded::Plain, Encoded::Marked, Encoded::Told("windows-1252")];
    for (big, mark) in [(false, false), (false, true), (true, false), (true, true)] {
        encodings.push(Encoded::Utf16 { big, mark });
    }
    let gzip = prop::sample::select(vec![Gzip::No, Gzip::One, Gzip::ManyAndPadding]);
    (separator, quoting, end, prop::sample::select(encodings), gzip).prop_map(
        |(separator, quoting, end, encoding, gzip)| {
            // Between several characters a quotation mark is a character like any other.
            let quoting = if separator == "::" { Quoting::None } else { quoting };
            Way { separator, quoting, end, encoding, gzip }
        },
    )
}

/// Titles that the way can write, and ids that differ.
fn table(way: &Way) -> impl Strategy<Value = Rows> + use<> {
    let letters = if matches!(way.encoding, Encoded::Told(_)) { "a-zé" } else { "a-z漢😀é" };
    // Between tabs, two lines that may be two rows are two rows.
    let mark = match (way.quoting, way.separator) {
        (Quoting::None, _) => "",
        (_, "\t") => "\";,|\n",
        // Between blanks, a cell ends with its line.
        (_, " ") => "\";,|\t",
        _ => "\";,|\n\t",
    };
    let blank = if way.separator == " " && way.quoting == Quoting::None { "" } else { " " };
    let (id, title) =
        (format!("[A-Z0-9{blank}]{{0,6}}[0-9]"), format!("[{letters}{mark}'.{blank}]{{0,12}}[x]"));
    let regex = |pattern: &str| prop::string::string_regex(pattern).expect("a pattern");
    prop::collection::vec((regex(&title), regex(&id)), 1..20).prop_map(|rows| {
        let ids = |n: usize, id: &str| format!("{}{n}", id.trim());
        let rows = rows.into_iter().enumerate();
        rows.map(|(n, (title, id))| (title.trim().to_owned(), ids(n, &id))).collect()
    })
}

fn put(dir: &TempDir, name: &str, bytes: Vec<u8>) -> PathBuf {
    let file = dir.path().join(name);
    std::fs::write(&file, bytes).expect("written");
    file
}

fn texts(file: &Path, text: TextOptions) -> Result<(Rows, Vec<String>), String> {
    let mut found = Vec::new();
    let cells = Cells { columns: vec!["title".into()], text, ..Cells::default() };
    let notes = read_cells(file, &cells, &mut |id, title| {
        found.push((title.to_owned(), id.to_owned()));
        Ok(())
    });
    Ok((found, notes.map_err(|error| error.to_string())?))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_table_of_texts_is_the_same_however_it_is_written(
        (way, rows) in ways().prop_flat_map(|way| (Just(way.clone()), table(&way)))
    ) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let text = way.text(["title", "item_id"], &rows);
        let file = put(&dir, "items.csv", way.bytes(&text));
        let (found, notes) = texts(&file, way.told()).map_err(TestCaseError::fail)?;
        // A line break within a cell is read as one line feed.
        prop_assert_eq!(&found, &rows, "{:?}\n{:?}", way, text);
        prop_assert!(notes.iter().any(|note| note.contains("item ids from \"item_id\"")), "{:?}", notes);
        let utf16 = matches!(way.encoding, Encoded::Utf16 { .. });
        prop_assert_eq!(notes.iter().any(|note| note.contains("encoding UTF-16")), utf16);
    }

    #[test]
    fn a_table_of_interactions_is_the_same_however_it_is_written(
        (way, rows) in ways().prop_flat_map(|way| (Just(way.clone()), table(&way)))
    ) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        // A pair that occurs twice would be merged, so each item has a number of its own.
        let rows = rows.into_iter().zip(0..).map(|((user, item), k)| (user.replace(['\n', '\t'], " "), format!("{item}-{k}")));
        let rows: Rows = rows.collect();
        let file = put(&dir, "likes.txt", way.bytes(&way.text(["user", "item"], &rows)));
        let options = TableOptions {
            columns: Columns { encoding: way.told().encoding, ..Columns::default() },
            split: Some(SplitRule::Lattice),
            ..TableOptions::default()
        };
        let (mut faults, mut notes) = (Faults::stop_at_first(), Vec::new());
        let read = read_table(&file, &options, &mut faults, &mut notes);
        let read = read.map_err(|error| TestCaseError::fail(error.to_string()))?.expect("one table");
        let mut pairs: Vec<_> = read.splits().into_iter().flatten().flat_map(|split| &split.pairs).collect();
        pairs.sort_by_key(|pair| pair.1);
        let named = |pair: &&(u32, u32)| (read.users()[pair.0 as usize].clone(), read.items()[pair.1 as usize].clone());
        prop_assert_eq!(pairs.iter().map(named).collect::<Vec<_>>(), rows);
        prop_assert!(notes[0].contains("users from \"user\", items from \"item\" (guessed by their names)"));
    }
}

#[test]
fn objects_are_the_same_in_lines_and_in_an_array() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let objects = [
        r#"{"asin": "b", "parent_asin": "x", "title": "[1]"}"#,
        r#"{"parent_asin": 7, "title": ["a", "b"]}"#,
        r#"{"parent_asin": "z", "title": NaN}"#,
    ];
    let rows =
        vec![("[1]".to_owned(), "x".to_owned()), ("a b".into(), "7".into()), (String::new(), "z".into())];
    for (text, array) in [
        (objects.join("\n"), false),
        (objects.join("\r\n\r\n") + "\r\n", false),
        (objects.join("\r"), false),
        (format!("[{}]", objects.join(",")), true),
        (format!("\n[\n  {}\n]\n", objects.join(",\n  ")), true),
    ] {
        for encoding in [Encoded::Plain, Encoded::Marked, Encoded::Utf16 { big: false, mark: true }] {
            for gzip in [Gzip::No, Gzip::ManyAndPadding] {
                let way = Way { separator: "", quoting: Quoting::None, end: "", encoding, gzip };
                let file = put(&dir, "items.JSON.gz", way.bytes(&text));
                let (found, notes) = texts(&file, TextOptions::default()).expect("sound");
                assert_eq!(found, rows, "{text:?}");
                assert_eq!(notes.iter().any(|note| note.contains("JSON array")), array);
                assert!(notes.iter().any(|note| note.contains("\"parent_asin\"")), "{notes:?}");
                assert!(notes.iter().any(|note| note.contains("1 values NaN")), "{notes:?}");
            }
        }
    }
}

#[test]
fn quotation_marks_that_are_no_quotes_read_well() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let read = |name: &str, text: &str| texts(&put(&dir, name, text.into()), TextOptions::default());
    let titles = |found: Result<(Rows, Vec<String>), String>| {
        found.map(|(rows, _)| rows.into_iter().map(|row| row.0).collect::<Vec<_>>())
    };
    // As programs write them that know no quotes, and as pandas writes the same.
    let raw = "id\ttitle\n1\t5\" screen\n2\t\"Great\" product\n3\t\"open\n4\tclose\"\n5\t\"\n";
    assert_eq!(
        titles(read("a.tsv", raw)).expect("sound"),
        ["5\" screen", "\"Great\" product", "\"open", "close\"", "\""]
    );
    let (_, notes) = read("a.tsv", raw).expect("sound");
    assert!(
        notes.iter().any(|n| n.contains("with a cell that starts") && n.contains("3 (the first is line 3)")),
        "{notes:?}"
    );
    let pandas = "id\ttitle\n1\t\"5\"\" screen\"\n\"2\"\t\"a\tb\"\n3\t\"one\ntwo\"\n4\tx\n";
    assert_eq!(titles(read("a.tsv", pandas)).expect("sound"), ["5\" screen", "a\tb", "one\ntwo", "x"]);
    let csv = "id,title\n1,5\" screen\n2,\"Great\" product\n3,\"6\"\" wide, black\"\n4,12\"\n";
    assert_eq!(
        titles(read("a.csv", csv)).expect("sound"),
        ["5\" screen", "Great product", "6\" wide, black", "12\""]
    );
    let (_, notes) = read("a.csv", csv).expect("sound");
    assert!(notes.iter().any(|n| n.contains("not doubled") && n.contains("line 3")), "{notes:?}");
    let plain = TextOptions { quotes: Quotes::None, ..TextOptions::default() };
    let file = put(&dir, "a.csv", b"id,title\n1,\"open\n2,x\n".to_vec());
    assert_eq!(titles(texts(&file, plain)).expect("sound"), ["\"open", "x"]);
}

#[test]
fn a_quotation_mark_that_swallows_rows_is_refused_with_its_line() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let rows = |from: usize, to: usize| (from..to).map(|n| format!("i{n},some text\n")).collect::<String>();
    let prose = |lines: usize| "words, and more, of it\n".repeat(lines);
    for (text, line, says) in [
        (format!("id,title\n{}i9,\"open\n{}", rows(0, 3), rows(10, 15)), 5, "never closed"),
        (format!("id,title\ni9,\"open\n{}\"i50\",x\n", rows(10, 12)), 2, "in the middle of a cell"),
        (format!("id,title\ni9,\"open\n{}i50,x\"\n", rows(10, 40)), 2, "looks like a row"),
        (format!("id,title\ni9,\"open\n{}end\"\n", prose(300)), 2, "within 201 lines"),
        ("id,title\n\"i1\",\"a\"\n\"i2,\"b\"\n\"i3\",\"c\"\n".to_owned(), 3, "must be doubled"),
    ] {
        let message = texts(&put(&dir, "a.csv", text.into()), TextOptions::default()).expect_err(says);
        assert!(message.contains(&format!("line {line}: ")) && message.contains(says), "{says}: {message}");
    }
    // A long description is no fault.
    let long = format!("id,title\ni9,\"open\n{}end\"\ni10,x\n", prose(100));
    assert_eq!(texts(&put(&dir, "a.csv", long.into()), TextOptions::default()).expect("sound").0.len(), 2);
}

#[test]
fn a_header_that_is_repeated_is_left_out_and_counted() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let text = "id,title\n1,a\n\u{feff}id,title\n2,b\n\"id\", title\n3,c\n";
    let (rows, notes) = texts(&put(&dir, "a.csv", text.into()), TextOptions::default()).expect("sound");
    assert_eq!(rows.iter().map(|row| row.1.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert!(
        notes.iter().any(|n| n.contains("repeat the header, left out: 2 (the first is line 3)")),
        "{notes:?}"
    );
}

#[test]
fn a_first_line_that_says_the_separator_is_no_row() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (text, said) in [
        ("sep=;\nid;title\n1;a, b\n", "semicolons"),
        ("\u{feff}sep=,\r\nid,title\r\n1,\"a, b\"\r\n", "commas"),
        ("SEP=\t\n\nid\ttitle\n1\ta, b\n", "tabs"),
    ] {
        let (rows, notes) = texts(&put(&dir, "a.csv", text.into()), TextOptions::default()).expect(said);
        assert_eq!(rows.iter().map(|row| row.1.as_str()).collect::<Vec<_>>(), ["1"], "{text}");
        assert!(notes[0].contains(&format!("separated by {said} (says its first line)")), "{notes:?}");
    }
    let other = put(&dir, "b.csv", b"sep=x,id,title\n1,2,a\n".to_vec());
    let (rows, notes) = texts(&other, TextOptions::default()).expect("a name like any other");
    assert_eq!((rows.len(), notes[0].contains("commas (guessed)")), (1, true), "{notes:?}");
}

#[test]
fn what_is_told_wins_over_what_would_be_guessed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = put(&dir, "a.csv", b"id;title\n1;a\n".to_vec());
    let separator: Separator = ",".parse().expect("a comma");
    let told = TextOptions { separator: Some(separator), ..TextOptions::default() };
    let message = texts(&file, told).expect_err("one column");
    assert!(message.contains("\"id;title\""), "{message}");
    let (_, notes) = texts(&file, TextOptions::default()).expect("guessed");
    assert!(notes[0].contains("separated by semicolons (guessed)"), "{notes:?}");
}
