//! Which file is the picture, or the sound, of which item.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use equipoise_data::formats::Cells;
use equipoise_data::{TextOptions, quoted};

use crate::error::EncodeError;
use crate::item_texts::{self, ItemNames, ItemTexts, nothing, two_ways};
use crate::job::{BrokenItem, EncodeReport};

/// A kind of files.
pub(crate) struct Kind {
    /// What one is called.
    pub(crate) one: &'static str,
    /// What several are called.
    pub(crate) many: &'static str,
    /// The option that names their folder.
    pub(crate) option: &'static str,
    /// The column of a table that has their paths, unless told otherwise.
    pub(crate) column: &'static str,
    /// Endings of their names in small letters, the first being preferred.
    pub(crate) endings: &'static [&'static str],
}

/// Where the files of a kind are to be found.
pub(crate) struct Source<'a> {
    /// A folder, or a table with a column of paths.
    pub(crate) path: &'a Path,
    /// The table's column of raw item ids.
    pub(crate) id_column: Option<&'a str>,
    /// Its column of paths.
    pub(crate) column: Option<&'a str>,
    /// How a table of text is read.
    pub(crate) reading: &'a TextOptions,
}

/// Longest ending that is named of files that are passed over.
const LONGEST: usize = 12;

/// Files by item, and what did not match.
#[derive(Debug, Default)]
pub(crate) struct ItemFiles {
    /// By item; `None` where there is none.
    pub(crate) files: Vec<Option<PathBuf>>,
    /// Items whose cell cannot be the path of a file.
    pub(crate) unusable: Vec<BrokenItem>,
    /// Files of items that are not in the data set.
    pub(crate) unknown: usize,
    /// What was guessed, passed over or understood leniently of a table, a sentence each.
    pub(crate) notes: Vec<String>,
    /// Further files of an item.
    pub(crate) repeated: usize,
    /// Entries of a folder that are not of the kind by their names, by what they are.
    pub(crate) passed_over: BTreeMap<String, usize>,
}

impl ItemFiles {
    /// What the report of a job says of its files.
    pub(crate) fn report(&self) -> EncodeReport {
        EncodeReport {
            unknown: self.unknown,
            repeated: self.repeated,
            notes: self.notes.clone(),
            broken: self.unusable.clone(),
            passed_over: self.passed_over.clone(),
            ..EncodeReport::default()
        }
    }
}

/// Finds the files of a kind for these items: in a folder, `<raw item id>` with one of the kind's endings, or by the paths
/// in a column of a table.
///
/// # Errors
/// If there is no such place, a column is named for a folder, or no file is of an item.
pub(crate) fn find(ids: &[String], source: &Source, kind: &Kind) -> Result<ItemFiles, EncodeError> {
    // Says that there is no such file rather than what is wrong with its name.
    std::fs::metadata(source.path).map_err(EncodeError::io(source.path))?;
    if source.path.is_dir() {
        if let Some(column) = source.column.or(source.id_column) {
            let expected = format!("no column, since {} is a folder", source.path.display());
            return Err(EncodeError::Setting { field: "column", found: column.to_owned(), expected });
        }
        return in_folder(ids, source.path, kind);
    }
    let column = source.column.unwrap_or(kind.column).to_owned();
    let id = source.id_column.map(str::to_owned);
    in_table(ids, source.path, &Cells { id, columns: vec![column], text: source.reading.clone() }, kind)
}

/// Finds the files `<raw item id>.<ending>` of a folder, the ending in capitals or not; of the folders within it where it has no such
/// file itself, which is said. Other entries are counted, but for hidden ones.
///
/// # Errors
/// If the folder cannot be read or has no file of any item, one is of an item but for how a number is written, or two folders have
/// files of one item.
fn in_folder(ids: &[String], folder: &Path, kind: &Kind) -> Result<ItemFiles, EncodeError> {
    let items = ItemNames::of(ids);
    let mut near = None;
    let mut found = ItemFiles { files: vec![None; ids.len()], ..ItemFiles::default() };
    let (mut ranks, mut example) = (vec![kind.endings.len(); ids.len()], None);
    for path in candidates(folder, kind, &mut found.notes)? {
        let (stem, rank) = match stem_and_rank(&path, kind.endings) {
            Ok(known) => known,
            Err(other) => {
                if let Some(other) = other {
                    *found.passed_over.entry(other).or_default() += 1;
                }
                continue;
            }
        };
        let Some(item) = items.find(&stem) else {
            found.unknown += 1;
            near = near.take().or_else(|| Some((stem.clone(), items.near(&stem)?)));
            example.get_or_insert(stem);
            continue;
        };
        if let Some(before) = &found.files[item] {
            one_folder(folder, before, &path, kind)?;
            found.repeated += 1;
        }
        if rank < ranks[item] {
            (ranks[item], found.files[item]) = (rank, Some(path));
        }
    }
    if let Some((stem, item)) = near.filter(|(_, item)| found.files[*item].is_none()) {
        return Err(two_ways(folder, &stem, &ids[item]));
    }
    if found.unknown == 1 {
        items.refuse_one_off(folder, example.as_deref(), |item| found.files[item].is_some())?;
    }
    if found.files.iter().any(Option::is_some) {
        Ok(found)
    } else {
        let theirs = example.map_or_else(
            || none_at_all(kind.endings, &found.passed_over),
            |stem: String| format!("its {} are called {} and so on", kind.many, quoted(&stem)),
        );
        Err(nothing(folder, &format!("no {} is of an item of the data set", kind.one), &theirs, ids))
    }
}

/// The entries of a folder; where no file among them is of the kind, the files of all folders within it instead.
fn candidates(folder: &Path, kind: &Kind, notes: &mut Vec<String>) -> Result<Vec<PathBuf>, EncodeError> {
    let own = entries(folder)?;
    let fits = |path: &PathBuf| stem_and_rank(path, kind.endings).is_ok();
    if own.iter().any(fits) {
        return Ok(own);
    }
    let (mut within, mut folders) = (Vec::new(), 0);
    let mut open: Vec<PathBuf> = own.iter().filter(|path| is_own_folder(path)).cloned().collect();
    while let Some(next) = open.pop() {
        folders += 1;
        let (inner, files): (Vec<_>, Vec<_>) =
            entries(&next)?.into_iter().partition(|path| is_own_folder(path));
        open.extend(inner);
        within.extend(files);
    }
    if !within.iter().any(fits) {
        return Ok(own);
    }
    within.extend(own.into_iter().filter(|path| !is_own_folder(path)));
    within.sort();
    notes.push(format!(
        "{}: no {} in the folder itself; those of the folders within it are taken: {folders}.",
        folder.display(),
        kind.one
    ));
    Ok(within)
}

/// What lies in a folder, by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, EncodeError> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(EncodeError::io(folder))?;
    names.sort();
    Ok(names)
}

/// Whether this is a folder that is not hidden, and no link to one, which may lead back.
fn is_own_folder(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// Files of one item lie in one folder: of two folders nobody knows which is meant.
fn one_folder(folder: &Path, one: &Path, two: &Path, kind: &Kind) -> Result<(), EncodeError> {
    if one.parent() == two.parent() {
        return Ok(());
    }
    let short = |path: &Path| path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let problem = format!(
        "two {} of one item, {} and {}; name the folder of one kind of {}",
        kind.many,
        quoted(&short(one)),
        quoted(&short(two)),
        kind.many
    );
    Err(EncodeError::file(folder, problem))
}

fn none_at_all(endings: &[&str], passed_over: &BTreeMap<String, usize>) -> String {
    let (last, first) = endings.split_last().expect("every kind has endings");
    let kinds: Vec<String> = passed_over.iter().take(8).map(|(kind, n)| format!("{n} {kind}")).collect();
    let there = if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") };
    format!("no .{} or .{last}, but {there}", first.join(", ."))
}

/// The name without its ending, and how much the ending is preferred; or what the entry is instead, unless it is hidden.
fn stem_and_rank(path: &Path, endings: &[&str]) -> Result<(String, usize), Option<String>> {
    let name = path.file_name().unwrap_or_default();
    if name.as_encoded_bytes().starts_with(b".") {
        return Err(None);
    }
    if path.is_dir() {
        return Err(Some("folder".into()));
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let ending = ending.ok_or_else(|| Some("without ending".to_owned()))?;
    let rank = endings.iter().position(|known| *known == ending);
    let short: String = ending.chars().take(LONGEST).collect();
    let rank = rank.ok_or_else(|| Some(format!(".{short}")))?;
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.map(|stem| (stem.to_owned(), rank)).ok_or_else(|| Some("with a name that is no UTF-8".into()))
}

/// Reads the paths of files, relative to the table, from a column; of several rows about one item the first is kept.
///
/// # Errors
/// If the table cannot be read, a row has no id, no row is about an item of the data set, or every cell is an address of
/// the web or holds the content of a file itself.
fn in_table(ids: &[String], table: &Path, cells: &Cells, kind: &Kind) -> Result<ItemFiles, EncodeError> {
    let folder = table.parent().unwrap_or(Path::new(""));
    let ItemTexts { texts, unknown, repeated, notes } = item_texts::read(ids, table, cells)?;
    let mut found = ItemFiles { unknown, repeated, notes, ..ItemFiles::default() };
    let mut first = None;
    for (id, cell) in ids.iter().zip(texts) {
        let cell = cell.as_deref().map(str::trim);
        let elsewhere = cell.and_then(elsewhere);
        if let (Some(cell), Some(what)) = (cell, elsewhere) {
            first.get_or_insert_with(|| (what, cell.chars().take(60).collect::<String>()));
            let reason = format!("{what}, expected the path of a file; nothing is downloaded");
            found.unusable.push(BrokenItem { item: id.clone(), reason });
        }
        found.files.push(cell.filter(|_| elsewhere.is_none()).map(|path| folder.join(path)));
    }
    match first.filter(|_| found.files.iter().all(Option::is_none)) {
        None => Ok(found),
        Some((what, cell)) => {
            let column = cells.columns.first().map(String::as_str).unwrap_or_default();
            let problem = format!(
                "column {column:?} holds {what} in {} rows ({cell:?} ...), expected paths of files; nothing is downloaded: \
                 fetch the {} into a folder as <item id>.{}, and give {} FOLDER",
                found.unusable.len(),
                kind.many,
                kind.endings[0],
                kind.option
            );
            Err(EncodeError::file(table, problem))
        }
    }
}

/// What a cell is that is no path of a file.
fn elsewhere(cell: &str) -> Option<&'static str> {
    let (scheme, rest) = cell.split_once(':')?;
    let named = scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    match scheme.to_ascii_lowercase().as_str() {
        "data" if rest.contains(',') => Some("a data URI"),
        _ if named && rest.starts_with("//") => Some("a URL"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURES: Kind = Kind {
        one: "picture",
        many: "pictures",
        option: "--images",
        column: "image",
        endings: &["jpg", "jpeg", "png", "webp"],
    };

    fn ids() -> Vec<String> {
        ["a", "b.1", "c"].map(String::from).to_vec()
    }

    #[test]
    fn files_of_a_folder_find_their_items_and_the_rest_is_counted() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for name in
            ["a.png", "a.JPG", "b.1.webp", "other.jpeg", "c.txt", "notes.md", "more.TXT", "LICENSE", ".x.md"]
        {
            std::fs::write(dir.path().join(name), "").expect("written");
        }
        std::fs::create_dir(dir.path().join("c.png")).expect("made");
        let found = in_folder(&ids(), dir.path(), &PICTURES).expect("two match");
        let expected =
            [Some("a.JPG"), Some("b.1.webp"), None].map(|name| name.map(|name| dir.path().join(name)));
        assert_eq!(found.files, expected);
        assert_eq!((found.unknown, found.repeated), (1, 1));
        let passed = [(".md", 1), (".txt", 2), ("folder", 1), ("without ending", 1)];
        assert_eq!(found.passed_over, passed.map(|(kind, n)| (kind.to_owned(), n)).into());
        let message = in_folder(&["q".into()], dir.path(), &PICTURES).expect_err("none matches").to_string();
        assert!(message.contains("\"a\"") && message.contains("\"q\""), "{message}");
        let empty = tempfile::tempdir().expect("a temporary directory");
        assert!(
            in_folder(&ids(), empty.path(), &PICTURES).expect_err("none").to_string().contains("no .jpg")
        );
        std::fs::write(empty.path().join("a.heic"), "").expect("written");
        let message = in_folder(&ids(), empty.path(), &PICTURES).expect_err("none").to_string();
        assert!(message.contains("1 .heic"), "{message}");
        assert!(in_folder(&ids(), &dir.path().join("none"), &PICTURES).is_err());
    }

    #[test]
    fn folders_within_a_folder_are_read_where_it_has_no_file_itself() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let put = |name: &str| {
            let file = dir.path().join(name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(&file, "").expect("written");
            file
        };
        let files = [put("0/a.png"), put("1/deep/b.1.jpg")];
        put("README.md");
        put("1/other.webp");
        put(".thumbs/c.jpg");
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.path(), dir.path().join("1/back")).expect("a link");
        let found = in_folder(&ids(), dir.path(), &PICTURES).expect("two match");
        assert_eq!(found.files, [Some(files[0].clone()), Some(files[1].clone()), None]);
        assert_eq!(found.unknown, 1);
        assert!(
            found.notes[0].ends_with("those of the folders within it are taken: 3."),
            "{:?}",
            found.notes
        );
        put("1/a.jpg");
        let message = in_folder(&ids(), dir.path(), &PICTURES).expect_err("two").to_string();
        assert!(message.contains("two pictures of one item, \"0/a.png\" and \"1/a.jpg\""), "{message}");
        put("c.png");
        let found = in_folder(&ids(), dir.path(), &PICTURES).expect("one in the folder itself");
        assert_eq!(found.files.iter().flatten().count(), 1);
        assert_eq!(found.passed_over["folder"], 2);
    }

    #[test]
    fn every_ending_is_read_in_small_letters_and_in_capitals() {
        for ending in PICTURES.endings {
            for name in [format!("a.{ending}"), format!("c.{}", ending.to_uppercase())] {
                let dir = tempfile::tempdir().expect("a temporary directory");
                std::fs::write(dir.path().join(&name), "").expect("written");
                let found = in_folder(&ids(), dir.path(), &PICTURES).expect("one matches");
                assert_eq!(found.files.iter().flatten().count(), 1, "{name}");
            }
        }
    }

    #[test]
    fn paths_of_a_table_are_relative_to_it() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let table = dir.path().join("items.csv");
        std::fs::write(&table, "item,photo\nc,pictures/1.jpg\na,\nz,2.jpg\nc,3.jpg\nb.1,/far/4.png\n")
            .expect("written");
        let cells = Cells { columns: vec!["photo".into()], ..Cells::default() };
        let found = in_table(&ids(), &table, &cells, &PICTURES).expect("three match");
        let expected = [None, Some("/far/4.png".into()), Some(dir.path().join("pictures/1.jpg"))];
        assert_eq!(found.files, expected);
        assert_eq!((found.unknown, found.repeated), (1, 1));
        let message =
            in_table(&["q".into()], &table, &cells, &PICTURES).expect_err("none matches").to_string();
        assert!(message.contains("\"c\"") && message.contains("\"q\""), "{message}");
    }

    #[test]
    fn addresses_and_contents_within_cells_are_no_paths() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let table = dir.path().join("items.jsonl");
        let put = |cells: [&str; 2]| {
            let line = |(id, cell): (&str, &str)| format!("{{\"id\": \"{id}\", \"photo\": \"{cell}\"}}\n");
            std::fs::write(&table, [("a", cells[0]), ("c", cells[1])].map(line).concat()).expect("written");
        };
        let cells = Cells { columns: vec!["photo".into()], ..Cells::default() };
        put(["https://a.example/1.jpg", "S3://b/2.jpg"]);
        let message = in_table(&ids(), &table, &cells, &PICTURES).expect_err("addresses").to_string();
        assert!(
            message.contains("a URL in 2 rows") && message.contains("nothing is downloaded"),
            "{message}"
        );
        let long = format!("data:image/png;base64,{}", "A".repeat(9000));
        put([&long, &long]);
        let message = in_table(&ids(), &table, &cells, &PICTURES).expect_err("pictures").to_string();
        assert!(message.contains("a data URI") && message.len() < 600, "{message}");
        put(["https://a.example/1.jpg", "c:1.jpg"]);
        let found = in_table(&ids(), &table, &cells, &PICTURES).expect("one path");
        assert_eq!(found.files[2], Some(dir.path().join("c:1.jpg")));
        assert_eq!((found.unusable.len(), &found.unusable[0].item[..]), (1, "a"));
    }
}
