//! The rows of a table of text, one at a time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use serde::{Deserialize, Serialize};

use super::encoding::TextEncoding;
use super::lines::Lines;
use super::quotes::{QuoteScan, Quotes, unquoted};
use super::separator::Separator;
use super::separator_guess::guess;
use super::split::blank_cells;
use crate::error::DataError;
use crate::quoted::quoted;

/// Lines from which the separator is guessed, and most bytes of them.
const GUESSED_FROM: (usize, usize) = (100, 1 << 20);

/// Most lines of one row: more are other rows that an open quotation mark took in.
const MOST_LINES: usize = 200;

/// Lines in one row from which on they are taken for rows of their own if each has as many cells as a row.
const LIKE_ROWS: usize = 12;

/// Most bytes of one row.
const LONGEST: usize = 16 << 20;

/// How a table of text is read; what is left out is found out and said.
///
/// | name | default | meaning |
/// |---|---|---|
/// | `encoding` | UTF-8, or UTF-16 where that is recognised | [`TextEncoding`] of a file without a byte order mark |
/// | `separator` | guessed from the first 100 lines | [`Separator`] |
/// | `quotes` | `standard` | [`Quotes`] |
/// | `names` | none: the first line has them | names of the columns of a file whose first line is data |
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextOptions {
    /// Encoding of the file.
    pub encoding: Option<TextEncoding>,
    /// What stands between the cells.
    pub separator: Option<Separator>,
    /// What quotation marks mean.
    pub quotes: Quotes,
    /// Names of the columns in their order, where the first line is data; none where it has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl TextOptions {
    /// Refuses names of columns for a file that names its columns itself, such as Parquet.
    pub(crate) fn refuse_names(&self, file: &Path) -> Result<(), DataError> {
        if self.names.is_empty() {
            return Ok(());
        }
        let problem =
            "names of columns are given, but a file of this kind names them itself; leave the names out";
        let place = "the whole file".to_owned();
        Err(DataError::Entry { file: file.to_owned(), place, problem: problem.to_owned() })
    }
}

/// A line that was read before its turn.
struct Ahead {
    number: u64,
    text: String,
}

/// A reader of rows, which holds one of them. Its lines are those of [`Lines`]; `csv-core` reads the quoted cells among
/// them. Blank lines are passed over.
///
/// ```
/// use equipoise_data::{TextOptions, TextRows};
/// let dir = tempfile::tempdir()?;
/// let file = dir.path().join("items.csv");
/// std::fs::write(&file, "id;title\r\n1;\"red; blue\"\r\n\r\n2;green\r\n")?;
/// let mut rows = TextRows::open(&file, &TextOptions::default(), &|names| names[0] == "id")?;
/// assert_eq!(rows.header()?.as_deref(), Some(&["id".to_owned(), "title".to_owned()][..]));
/// assert!(rows.advance()?);
/// assert_eq!((rows.cell(1), rows.line(), rows.len()), ("red; blue", 2, 2));
/// assert!(rows.advance()? && rows.line() == 4);
/// assert!(!rows.advance()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TextRows {
    file: PathBuf,
    lines: Lines,
    ahead: VecDeque<Ahead>,
    separator: Separator,
    /// How the separator is known, unless it was told.
    known_by: Option<&'static str>,
    quotes: Quotes,
    core: Reader,
    /// The line that was read last.
    read: String,
    read_number: u64,
    /// The cells of the row, one after the other.
    text: String,
    /// Where each cell lies in `text`.
    spans: Vec<(usize, usize)>,
    /// Line on which the row starts.
    line: u64,
    /// Cells of the row that start with a quotation mark that nothing closes.
    unclosed: Vec<usize>,
    /// Whether text stands after the mark that closes a cell of the row.
    loose: bool,
    /// Cells of each row: those of the first, or as many as there are names.
    expected: Option<usize>,
    header: Option<Vec<String>>,
    /// Whether the names of the columns were told.
    told: bool,
    counts: Counts,
}

/// What was passed over or understood leniently, with the line of the first.
#[derive(Default)]
struct Counts {
    headers: Counted,
    loose: Counted,
    unclosed: Counted,
}

#[derive(Clone, Copy, Default)]
struct Counted {
    count: u64,
    first: u64,
}

impl Counted {
    fn at(&mut self, line: u64) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += 1;
    }
}

impl TextRows {
    /// Opens a table. Where the separator is guessed, `fits` says whether the names that one makes of the first line are
    /// those of the columns that are sought; it always says no where the first line has no names.
    ///
    /// # Errors
    /// As [`Lines::open`], and a line among the first that is no text.
    pub fn open(
        file: &Path,
        options: &TextOptions,
        fits: &dyn Fn(&[String]) -> bool,
    ) -> Result<TextRows, DataError> {
        let mut rows = TextRows {
            file: file.to_owned(),
            lines: Lines::open_as(file, options.encoding)?,
            ahead: VecDeque::new(),
            separator: options.separator.clone().unwrap_or(Separator::Byte(b',')),
            known_by: None,
            quotes: options.quotes,
            core: Reader::default(),
            read: String::new(),
            read_number: 0,
            text: String::new(),
            spans: Vec::new(),
            line: 1,
            unclosed: Vec::new(),
            loose: false,
            expected: Some(options.names.len()).filter(|&names| names > 0),
            header: Some(options.names.clone()).filter(|names| !names.is_empty()),
            told: !options.names.is_empty(),
            counts: Counts::default(),
        };
        if options.separator.is_none() {
            rows.look_ahead()?;
            let told = rows.told;
            rows.find_separator(&|names| !told && fits(names));
        }
        if let Separator::Byte(byte) = rows.separator {
            rows.core = ReaderBuilder::new().delimiter(byte).build();
        }
        Ok(rows)
    }

    /// Finds the separator in the lines that were read ahead: Excel may say it in a line of its own, which is no row.
    fn find_separator(&mut self, fits: &dyn Fn(&[String]) -> bool) {
        if let Some(separator) = self.ahead.front().and_then(|line| declared(&line.text)) {
            self.ahead.pop_front();
            (self.separator, self.known_by) = (separator, Some("says its first line"));
            return;
        }
        let lines: Vec<&str> = self.ahead.iter().map(|line| line.text.as_str()).collect();
        if let Some(separator) = guess(&lines, self.quotes, fits) {
            (self.separator, self.known_by) = (separator, Some("guessed"));
        }
    }

    /// Reads the lines from which the separator is guessed.
    fn look_ahead(&mut self) -> Result<(), DataError> {
        let (lines, mut bytes) = (GUESSED_FROM.0, 0);
        while self.ahead.len() < lines && bytes < GUESSED_FROM.1 && self.lines.advance()? {
            let text = self.lines.utf8().map_err(|fault| self.lines.fault(fault))?.to_owned();
            bytes += text.len();
            // Blank lines say nothing about the separator and are passed over anyway, but within quotes.
            if !text.trim().is_empty() || !self.ahead.is_empty() {
                self.ahead.push_back(Ahead { number: self.lines.number(), text });
            }
        }
        Ok(())
    }

    /// Reads the first row as the names of the columns, unless they were told; `None` if the file is empty and they were not. A row
    /// that says the same again is passed over from then on.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub fn header(&mut self) -> Result<Option<Vec<String>>, DataError> {
        if self.told {
            return Ok(self.header.clone());
        }
        if !self.advance()? {
            return Ok(None);
        }
        self.header = Some((0..self.len()).map(|place| self.cell(place).trim().to_owned()).collect());
        Ok(self.header.clone())
    }

    /// Goes to the next row that is not empty; `false` at the end.
    ///
    /// # Errors
    /// If the file cannot be read, a line is no text, or a quotation mark is not closed, or only after hundreds of lines:
    /// the line on which it stands is named.
    pub fn advance(&mut self) -> Result<bool, DataError> {
        loop {
            if !self.read_row()? {
                self.spans.clear();
                return Ok(false);
            }
            self.expected.get_or_insert(self.spans.len());
            let header = self.header.iter().flatten();
            let again = self.header.as_ref().is_some_and(|names| names.len() == self.spans.len())
                && header.zip(&self.spans).all(|(name, span)| self.text[span.0..span.1].trim() == name);
            if !again {
                return Ok(true);
            }
            self.counts.headers.at(self.line);
        }
    }

    fn read_row(&mut self) -> Result<bool, DataError> {
        loop {
            if !self.read_line()? {
                return Ok(false);
            }
            if !self.read.trim().is_empty() {
                break;
            }
        }
        self.line = self.read_number;
        self.unclosed.clear();
        self.loose = false;
        let marks = self.quotes == Quotes::Standard && memchr::memchr(b'"', self.read.as_bytes()).is_some();
        match (&self.separator, marks) {
            (Separator::Byte(b'\t'), true) => self.tabbed_row()?,
            (Separator::Byte(byte), true) => self.quoted_row(*byte)?,
            (Separator::Blanks, _) => self.blank_row(),
            (Separator::Byte(_) | Separator::Text(_), _) => self.plain_row(),
        }
        Ok(true)
    }

    /// Reads the next line, which may have been read ahead; `false` at the end.
    fn read_line(&mut self) -> Result<bool, DataError> {
        if let Some(line) = self.ahead.pop_front() {
            (self.read_number, self.read) = (line.number, line.text);
            return Ok(true);
        }
        if !self.lines.advance()? {
            return Ok(false);
        }
        let text = self.lines.utf8().map_err(|fault| self.lines.fault(fault))?;
        self.read.clear();
        self.read.push_str(text);
        self.read_number = self.lines.number();
        Ok(true)
    }

    /// Cells without quotes: the line as it stands.
    fn plain_row(&mut self) {
        std::mem::swap(&mut self.text, &mut self.read);
        self.spans.clear();
        let mut start = 0;
        let mut cell = |end: usize, next: usize| {
            self.spans.push((start, end));
            start = next;
        };
        match &self.separator {
            Separator::Byte(byte) => {
                memchr::memchr_iter(*byte, self.text.as_bytes()).for_each(|at| cell(at, at + 1));
            }
            Separator::Text(text) => {
                self.text.match_indices(text.as_str()).for_each(|(at, found)| cell(at, at + found.len()));
            }
            Separator::Blanks => {}
        }
        cell(self.text.len(), self.text.len());
    }

    fn blank_row(&mut self) {
        self.text.clear();
        self.spans.clear();
        for (place, cell) in blank_cells(&self.read, self.quotes).enumerate() {
            if self.quotes == Quotes::Standard
                && matches!(cell, std::borrow::Cow::Borrowed(c) if c.starts_with('"'))
            {
                self.unclosed.push(place);
            }
            push(&mut self.text, &mut self.spans, &cell);
        }
        self.note_unclosed();
    }

    /// A row that may go on over several lines because a cell is quoted.
    fn quoted_row(&mut self, separator: u8) -> Result<(), DataError> {
        let mut scan = QuoteScan::new();
        scan.line(self.read.as_bytes(), separator, self.read_number);
        if !scan.is_open() {
            self.loose = scan.loose;
            if scan.loose {
                self.counts.loose.at(self.line);
            }
            self.parse();
            return Ok(());
        }
        // What stands in the lines that the cell takes in must be sound, or the mark that opened it was none.
        scan.loose = false;
        let (mut row, mut lines, mut like_rows) = (std::mem::take(&mut self.read), 0, 0);
        let mut opened = scan.opened;
        while scan.is_open() {
            opened = scan.opened;
            if !self.read_line()? {
                return Err(self.open_quote(opened, "is never closed"));
            }
            lines += 1;
            like_rows += usize::from(self.is_like_a_row(separator));
            row.push('\n');
            row.push_str(&self.read);
            scan.line(self.read.as_bytes(), separator, self.read_number);
            if lines > MOST_LINES || row.len() > LONGEST {
                return Err(self.open_quote(opened, &format!("is not closed within {lines} lines")));
            }
        }
        if scan.loose {
            let how = format!("is closed in the middle of a cell on line {}", self.read_number);
            return Err(self.open_quote(opened, &how));
        }
        if lines >= LIKE_ROWS && like_rows == lines {
            let how = format!("is closed {lines} lines further on, and each of them looks like a row");
            return Err(self.open_quote(opened, &how));
        }
        self.read = row;
        self.parse();
        Ok(())
    }

    /// Whether the line that was read last would make a row by itself.
    fn is_like_a_row(&self, separator: u8) -> bool {
        let cells = 1 + memchr::memchr_iter(separator, self.read.as_bytes()).count();
        self.expected.is_some_and(|expected| expected > 1 && cells == expected)
    }

    fn open_quote(&self, line: u64, how: &str) -> DataError {
        let problem = format!(
            "a quotation mark opens a cell here and {how}; close it, write two of them where one is meant within quotes, \
             or say --quotes none if quotation marks are plain characters"
        );
        self.line_error(line, problem)
    }

    /// A row between tabs: its marks are taken off where they are sound, and are plain characters where they are not.
    fn tabbed_row(&mut self) -> Result<(), DataError> {
        let cells = 1 + memchr::memchr_iter(b'\t', self.read.as_bytes()).count();
        if self.expected.is_some_and(|expected| cells != expected) {
            return self.quoted_row(b'\t');
        }
        if self.expected.is_some() && self.goes_on()? {
            return self.quoted_row(b'\t');
        }
        self.text.clear();
        self.spans.clear();
        for (place, cell) in self.read.split('\t').enumerate() {
            let inner = unquoted(cell.trim());
            if inner.is_none() && cell.trim_start().starts_with('"') {
                self.unclosed.push(place);
            }
            push(&mut self.text, &mut self.spans, inner.as_deref().unwrap_or(cell));
        }
        self.note_unclosed();
        Ok(())
    }

    /// Whether the last cell of the line is quoted and goes on in the lines after it, which do not look like rows.
    fn goes_on(&mut self) -> Result<bool, DataError> {
        let last = self.read.rsplit('\t').next().unwrap_or_default();
        if !last.starts_with('"') || unquoted(last).is_some() {
            return Ok(false);
        }
        let mut scan = QuoteScan::new();
        scan.line(self.read.as_bytes(), b'\t', self.read_number);
        let (first, number) = (std::mem::take(&mut self.read), self.read_number);
        let (mut taken, mut like_rows) = (Vec::new(), true);
        while scan.is_open() && taken.len() < MOST_LINES && self.read_line()? {
            scan.line(self.read.as_bytes(), b'\t', self.read_number);
            like_rows &= self.is_like_a_row(b'\t');
            taken.push(Ahead { number: self.read_number, text: std::mem::take(&mut self.read) });
        }
        let sound = !scan.is_open() && !scan.loose && self.expected == Some(scan.cells());
        let goes_on = sound && !taken.is_empty() && !like_rows;
        taken.into_iter().rev().for_each(|line| self.ahead.push_front(line));
        (self.read, self.read_number) = (first, number);
        Ok(goes_on)
    }

    fn note_unclosed(&mut self) {
        if !self.unclosed.is_empty() {
            self.counts.unclosed.at(self.line);
        }
    }

    /// Gives the row in `read` to `csv-core`.
    fn parse(&mut self) {
        self.read.push('\n');
        let (mut bytes, mut ends) = (vec![0; self.read.len() + 1], vec![0; self.read.len() + 1]);
        let (mut read, mut written, mut ended) = (0, 0, 0);
        loop {
            let input = &self.read.as_bytes()[read..];
            let (result, taken, out, cells) =
                self.core.read_record(input, &mut bytes[written..], &mut ends[ended..]);
            (read, written, ended) = (read + taken, written + out, ended + cells);
            // The row ends with its line end, and cells take no more room than the row.
            if matches!(result, ReadRecordResult::Record | ReadRecordResult::End) || taken == 0 {
                break;
            }
        }
        bytes.truncate(written);
        self.text = String::from_utf8(bytes).expect("cells are parts of a text between ASCII characters");
        self.spans.clear();
        let mut start = 0;
        for &end in &ends[..ended] {
            self.spans.push((start, end));
            start = end;
        }
    }

    /// Line on which the row starts, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether the row has no cells: at the end.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Number of cells of the row.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// A cell; empty beyond the last.
    pub fn cell(&self, place: usize) -> &str {
        self.spans.get(place).map_or("", |&(start, end)| &self.text[start..end])
    }

    /// A cell that is an id, without blanks around it.
    ///
    /// # Errors
    /// A quotation mark that nothing closes, a line break within: the marks of the file are not what they should be.
    pub fn id(&self, place: usize) -> Result<&str, String> {
        self.id_as_it_stands(place).map(str::trim)
    }

    /// The same with the blanks around it.
    ///
    /// # Errors
    /// As [`id`](TextRows::id).
    pub(crate) fn id_as_it_stands(&self, place: usize) -> Result<&str, String> {
        let id = self.cell(place).trim();
        if self.unclosed.contains(&place) {
            return Err(format!(
                "a quotation mark opens the id {} and is never closed; close it, or say --quotes none if it belongs to \
                 the id",
                quoted(id)
            ));
        }
        if id.contains(['\n', '\r']) {
            return Err(format!(
                "the id {} goes on over several lines: a quotation mark is missing or one too many; repair it",
                quoted(id)
            ));
        }
        Ok(self.cell(place))
    }

    /// Whether the row has as many cells as the first.
    ///
    /// # Errors
    /// How many it has.
    pub fn complete(&self) -> Result<(), String> {
        match self.expected {
            Some(expected) if expected != self.spans.len() => {
                let found = self.spans.len();
                if self.told {
                    let problem = "columns, as there are names";
                    return Err(format!(
                        "expected {expected} {problem}, found {found}; name every column, or repair the line"
                    ));
                }
                let marks = if self.loose { " (a quotation mark within quotes must be doubled)" } else { "" };
                Err(format!("expected {expected} columns, found {found}{marks}; repair the line"))
            }
            _ => Ok(()),
        }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A fault of a line as an error.
    pub fn line_error(&self, line: u64, problem: String) -> DataError {
        DataError::Entry { file: self.file.clone(), place: format!("line {line}"), problem }
    }

    /// How the file is read, as far as nobody said so and it is not `usual`: `separated by commas (guessed)`.
    pub fn said(&self, usual: Option<&Separator>) -> Vec<String> {
        let how = self.known_by.filter(|_| Some(&self.separator) != usual);
        let separated = how.map(|how| format!("separated by {} ({how})", self.separator));
        separated.into_iter().chain(self.lines.said_encoding()).collect()
    }

    /// What separates the cells, for a message.
    pub fn separator(&self) -> &Separator {
        &self.separator
    }

    /// Rows up to here that say the header again, which are passed over.
    pub fn repeated_headers(&self) -> usize {
        self.counts.headers.count as usize
    }

    /// What was passed over or understood leniently up to here, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let Counts { headers, loose, unclosed } = &self.counts;
        let sentences = [
            (headers, "lines that repeat the header, left out"),
            (loose, "lines with a quotation mark within quotes that is not doubled, read as it stands"),
            (
                unclosed,
                "lines with a cell that starts with a quotation mark and does not end with one, read as it stands",
            ),
        ];
        let file = self.file.display();
        let some = sentences.into_iter().filter(|(counted, _)| counted.count > 0);
        some.map(|(counted, what)| {
            format!("{file}: {what}: {} (the first is line {}).", counted.count, counted.first)
        })
        .collect()
    }
}

/// The separator that a line such as `sep=;` says.
fn declared(line: &str) -> Option<Separator> {
    let line = line.trim_end_matches('\r');
    let said = line.strip_prefix("sep=").or_else(|| line.strip_prefix("SEP="))?;
    let mut bytes = said.bytes();
    match (bytes.next()?, bytes.next()) {
        (byte @ (b',' | b';' | b'\t' | b'|'), None) => Some(Separator::Byte(byte)),
        _ => None,
    }
}

fn push(text: &mut String, spans: &mut Vec<(usize, usize)>, cell: &str) {
    let start = text.len();
    text.push_str(cell);
    spans.push((start, text.len()));
}
