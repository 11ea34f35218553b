//! Quotation marks around cells.

use serde::{Deserialize, Serialize};

/// What quotation marks mean in a table of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quotes {
    /// A mark at the start of a cell opens it, and it lasts to the next single mark; two marks inside are one. A cell may
    /// hold separators and line breaks then. Marks elsewhere are part of the cell. Between tabs, where many programs
    /// write marks as they stand, a cell is quoted only if the mark that closes it is its last character.
    #[default]
    Standard,
    /// They are characters like any other.
    None,
}

impl Quotes {
    /// Every choice.
    pub const ALL: [Quotes; 2] = [Quotes::Standard, Quotes::None];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Quotes::Standard => "standard",
            Quotes::None => "none",
        }
    }
}

/// Where in a row a scan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the first character of a cell.
    Start,
    /// In a cell without quotes.
    Plain,
    /// Between the marks of a cell.
    Quoted,
    /// After a mark in a quoted cell: it closes the cell, or is the first of two.
    Mark,
}

/// Follows the quotation marks of a row over its lines, as `csv-core` reads them, and notes what `csv-core` passes over.
#[derive(Clone, Debug)]
pub(super) struct QuoteScan {
    state: State,
    /// Separators outside of quotes.
    separators: usize,
    /// Whether text stands between the mark that closes a cell and the separator.
    pub(super) loose: bool,
    /// Line on which the last quoted cell was opened.
    pub(super) opened: u64,
}

impl QuoteScan {
    /// At the start of a row.
    pub(super) fn new() -> QuoteScan {
        QuoteScan { state: State::Start, separators: 0, loose: false, opened: 0 }
    }

    /// Reads one line of the row.
    pub(super) fn line(&mut self, line: &[u8], separator: u8, number: u64) {
        for &byte in line {
            self.state = match (self.state, byte) {
                (State::Start, b'"') => {
                    self.opened = number;
                    State::Quoted
                }
                (State::Quoted, b'"') => State::Mark,
                (State::Quoted, _) | (State::Mark, b'"') => State::Quoted,
                (State::Start | State::Plain | State::Mark, _) if byte == separator => {
                    self.separators += 1;
                    State::Start
                }
                (State::Mark, _) => {
                    self.loose = true;
                    State::Plain
                }
                (State::Start | State::Plain, _) => State::Plain,
            };
        }
    }

    /// Whether the row goes on in the next line.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Quoted
    }

    /// Cells of the row, if it is not open.
    pub(super) fn cells(&self) -> usize {
        self.separators + 1
    }
}

/// What a quoted cell says, if its marks are sound: the last character closes it and marks within come in pairs.
pub(super) fn unquoted(cell: &str) -> Option<String> {
    let inner = cell.strip_prefix('"')?.strip_suffix('"')?;
    let sound = inner.split("\"\"").all(|part| !part.contains('"'));
    sound.then(|| inner.replace("\"\"", "\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_goes_on_while_a_cell_is_open() {
        for (lines, open, loose, cells, opened) in [
            (&["a,b"][..], false, false, 2, 0),
            (&["a,\"b,c\""], false, false, 2, 1),
            (&["a,\"b", "c\",d"], false, false, 3, 1),
            (&["a,\"b\"\"", "c"], true, false, 2, 1),
            (&["\"a\",\"b\"", ",\"c"], true, false, 3, 2),
            (&["5\" screen,b"], false, false, 2, 0),
            (&["\"5\" screen\",b"], false, true, 2, 1),
            (&["\"\",\"\"\"\""], false, false, 2, 1),
        ] {
            let mut scan = QuoteScan::new();
            (1..).zip(lines).for_each(|(number, line)| scan.line(line.as_bytes(), b',', number));
            let found = (scan.is_open(), scan.loose, scan.cells(), scan.opened);
            assert_eq!(found, (open, loose, cells, opened), "{lines:?}");
        }
    }

    #[test]
    fn marks_are_taken_off_a_sound_cell_alone() {
        for (cell, expected) in [
            ("\"a\"", Some("a")),
            ("\"\"", Some("")),
            ("\"5\"\" screen\"", Some("5\" screen")),
            ("\"", None),
            ("\"Great\" product", None),
            ("\"5\" screen\"", None),
            ("5\"", None),
            ("\"\"\"", None),
        ] {
            assert_eq!(unquoted(cell).as_deref(), expected, "{cell}");
        }
    }
}
