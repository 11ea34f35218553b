//! Lists that give each index its raw id: `raw id <tab> index`, with or without a header line.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::faults::Faults;

/// Reads the list if the file is there: raw ids by index.
///
/// # Errors
/// When loading, the first fault; when checking, none (a faulty list is then left aside).
pub fn read(file: &Path, faults: &mut Faults) -> Result<Option<(PathBuf, Vec<String>)>, DataError> {
    if !file.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(file).map_err(DataError::io(file));
    let ids = text.and_then(|text| parse(file, text.trim_start_matches('\u{feff}')));
    Ok(faults.keep(ids)?.map(|ids| (file.to_owned(), ids)))
}

fn parse(file: &Path, text: &str) -> Result<Vec<String>, DataError> {
    let entry = |line: usize, problem: String| DataError::Entry {
        file: file.to_owned(),
        place: format!("line {}", line + 1),
        problem,
    };
    let count = text.lines().filter(|l| !l.trim().is_empty()).count();
    let mut ids: Vec<Option<String>> = vec![None; count];
    for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        // Raw ids may hold blanks when the separator is a tab.
        let parts = line.trim_end().rsplit_once('\t').or_else(|| line.trim_end().rsplit_once(' '));
        let index = parts.and_then(|(_, index)| index.trim().parse::<usize>().ok());
        let (Some((raw, _)), Some(index)) = (parts, index) else {
            if number == 0 {
                ids.pop();
                continue;
            }
            let problem = format!("expected raw id, tab, index, found {line:?}; repair the line");
            return Err(entry(number, problem));
        };
        match ids.get_mut(index) {
            Some(slot @ None) => *slot = Some(raw.to_owned()),
            Some(Some(other)) => {
                let problem = format!("index {index} is taken by {other:?}; number each id once");
                return Err(entry(number, problem));
            }
            None => {
                let problem = format!("index {index} of {count} lines; number the ids from 0 without gaps");
                return Err(entry(number, problem));
            }
        }
    }
    if ids.is_empty() {
        let problem = "no id, expected raw id, tab, index on each line; fill or remove the file";
        return Err(entry(0, problem.into()));
    }
    // As many slots as lines, no index twice and none beyond: every slot is filled.
    Ok(ids.into_iter().flatten().collect())
}
