//! Rows of comma-separated text, one at a time.

use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// A reader of rows, which holds one of them.
pub struct CsvRows<R> {
    input: R,
    core: Reader,
    text: Vec<u8>,
    /// Where each cell ends in `text`.
    ends: Vec<usize>,
    cells: usize,
    line: u64,
}

impl<R: BufRead> CsvRows<R> {
    /// Reads `input`, whose cells are separated by `delimiter`; quotation marks mean something if `quoting`.
    pub fn new(input: R, delimiter: u8, quoting: bool) -> CsvRows<R> {
        let core = ReaderBuilder::new().delimiter(delimiter).quoting(quoting).build();
        CsvRows { input, core, text: vec![0; 1024], ends: vec![0; 32], cells: 0, line: 1 }
    }

    /// Goes to the next row that is not empty; `false` at the end.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub fn advance(&mut self) -> io::Result<bool> {
        let (mut written, mut ended) = (0, 0);
        self.line = self.core.line();
        loop {
            let bytes = self.input.fill_buf()?;
            let (result, read, out, cells) =
                self.core.read_record(bytes, &mut self.text[written..], &mut self.ends[ended..]);
            self.input.consume(read);
            written += out;
            ended += cells;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => {
                    self.cells = ended;
                    return Ok(true);
                }
                ReadRecordResult::End => {
                    self.cells = 0;
                    return Ok(false);
                }
            }
        }
    }

    /// Line on which the row starts, from 1; empty lines before it count with it.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether the row has no cells: at the end.
    pub fn is_empty(&self) -> bool {
        self.cells == 0
    }

    /// Number of cells of the row.
    pub fn len(&self) -> usize {
        self.cells
    }

    /// A cell; empty beyond the last.
    pub fn cell(&self, place: usize) -> &[u8] {
        if place >= self.cells {
            return &[];
        }
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.text[start..self.ends[place]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_line_breaks_and_long_rows_are_read() {
        let long = "x".repeat(5_000);
        let many = vec!["1"; 100].join(",");
        let text = format!("a,\"b,\"\"c\"\"\n d\"\r\n{long},2\n\n{many}");
        // A buffer of three bytes: every boundary is met.
        let mut rows = CsvRows::new(io::BufReader::with_capacity(3, text.as_bytes()), b',', true);
        assert!(rows.advance().expect("memory"));
        assert_eq!((rows.len(), rows.cell(1), rows.line()), (2, &b"b,\"c\"\n d"[..], 1));
        assert!(rows.advance().expect("memory"));
        assert_eq!((rows.cell(0), rows.cell(1), rows.cell(2)), (long.as_bytes(), &b"2"[..], &b""[..]));
        assert!(rows.advance().expect("memory"));
        assert_eq!((rows.len(), rows.cell(99)), (100, &b"1"[..]));
        assert!(!rows.advance().expect("memory"));
    }
}
