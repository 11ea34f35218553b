//! Lists that give each index its raw id: `raw id <tab> index`, with or without a header line. A comma or a blank may
//! stand in the place of the tab.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::faults::Faults;
use crate::quoted::quoted;
use crate::text::{LineFault, Lines};

/// Reads the list if the file is there: raw ids by index.
///
/// # Errors
/// When loading, the first fault; when checking, none (a faulty list is then left aside).
pub fn read(file: &Path, faults: &mut Faults) -> Result<Option<(PathBuf, Vec<String>)>, DataError> {
    if !file.exists() {
        return Ok(None);
    }
    Ok(faults.keep(parse(file))?.map(|ids| (file.to_owned(), ids)))
}

/// One entry of a list.
struct Entry {
    line: u64,
    raw: String,
    index: usize,
}

fn parse(file: &Path) -> Result<Vec<String>, DataError> {
    let mut lines = Lines::open(file)?;
    let (mut entries, mut first) = (Vec::new(), true);
    while lines.advance()? {
        if lines.is_blank() {
            continue;
        }
        let text = lines.utf8().map_err(|fault| lines.fault(fault))?.trim_end();
        match entry(text) {
            Some((raw, index)) => entries.push(Entry { line: lines.number(), raw: raw.to_owned(), index }),
            // The first line may name the columns.
            None if first => {}
            None => {
                let problem = format!("expected raw id, tab, index, found {}; repair the line", quoted(text));
                return Err(lines.fault(LineFault::whole(problem)));
            }
        }
        first = false;
    }
    by_index(file, entries)
}

/// The raw id and the index of a line. Raw ids may hold what separates the two elsewhere.
fn entry(line: &str) -> Option<(&str, usize)> {
    let parts = |separator: char| {
        let (raw, index) = line.rsplit_once(separator)?;
        Some((raw, index.trim().parse().ok()?))
    };
    if line.contains('\t') { parts('\t') } else { parts(',').or_else(|| parts(' ')) }
}

fn by_index(file: &Path, entries: Vec<Entry>) -> Result<Vec<String>, DataError> {
    let fault = |line: u64, problem: String| DataError::Entry {
        file: file.to_owned(),
        place: format!("line {line}"),
        problem,
    };
    let count = entries.len();
    let mut ids: Vec<Option<String>> = vec![None; count];
    for Entry { line, raw, index } in entries {
        match ids.get_mut(index) {
            Some(slot @ None) => *slot = Some(raw),
            Some(Some(other)) => {
                let problem = format!("index {index} is taken by {}; number each id once", quoted(other));
                return Err(fault(line, problem));
            }
            None => {
                let problem = format!("index {index} of {count} lines; number the ids from 0 without gaps");
                return Err(fault(line, problem));
            }
        }
    }
    if ids.is_empty() {
        let problem = "no id, expected raw id, tab, index on each line; fill or remove the file";
        return Err(fault(1, problem.into()));
    }
    // As many slots as entries, no index twice and none beyond: every slot is filled.
    Ok(ids.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &[u8]) -> Result<Vec<String>, String> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("item_list.txt");
        std::fs::write(&file, text).expect("written");
        let found = read(&file, &mut Faults::stop_at_first()).map_err(|e| e.to_string())?;
        Ok(found.expect("the file is there").1)
    }

    #[test]
    fn tabs_commas_and_blanks_separate_the_index() {
        for text in [
            &b"b c\t1\na, d\t0\n"[..],
            b"\xef\xbb\xbfasin\titemID\r\nb c\t1\r\n\r\na, d\t0\r\n",
            b"id,index\rb c,1\ra, d,0\r\r",
            b"b c 1\na, d 0",
        ] {
            assert_eq!(ids(text), Ok(vec!["a, d".into(), "b c".into()]), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_list_that_is_none_is_refused_with_its_line() {
        for (text, says) in [
            (&b"a\t0\nb\n"[..], "line 2: expected raw id"),
            (b"a\t0\nb\t0\n", "line 2: index 0 is taken by \"a\""),
            (b"a\t0\nb\t2\n", "line 2: index 2 of 2 lines"),
            (b"\n", "no id"),
            (b"a\t0\n\xe9\t1\n", "line 2, byte 1: no UTF-8"),
        ] {
            let message = ids(text).expect_err(says);
            assert!(message.contains(says), "{message}");
        }
    }
}
