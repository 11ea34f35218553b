//! The separator of a table, from its first lines.

use super::quotes::{QuoteScan, Quotes};
use super::separator::Separator;
use super::split::{blank_cells, split};

/// What is tried. Blanks come last: texts have them too.
fn candidates() -> [Separator; 6] {
    let byte = Separator::Byte;
    [byte(b','), byte(b'\t'), byte(b';'), byte(b'|'), Separator::Text("::".into()), Separator::Blanks]
}

/// Least share of lines that have as many cells as the first.
const AGREEING: f64 = 0.8;

/// How one separator divides the lines.
struct Division {
    separator: Separator,
    /// Cells of the first line.
    cells: usize,
    /// Share of lines with as many cells.
    agreeing: f64,
    /// Whether the first line has the names that are sought.
    named: bool,
}

impl Division {
    fn of(
        separator: Separator,
        lines: &[&str],
        quotes: Quotes,
        fits: &dyn Fn(&[String]) -> bool,
    ) -> Division {
        let counts: Vec<usize> = lines.iter().filter_map(|line| count(line, &separator, quotes)).collect();
        let cells = counts.first().copied().unwrap_or(0);
        let same = counts.iter().filter(|count| **count == cells).count();
        let header = lines.first().map(|line| split(line, &separator, quotes)).unwrap_or_default();
        let named = cells > 1 && fits(&header);
        Division { separator, cells, agreeing: same as f64 / counts.len().max(1) as f64, named }
    }

    fn is_blanks(&self) -> bool {
        self.separator == Separator::Blanks
    }

    /// What decides, the most telling first.
    fn rank(&self) -> (bool, bool, bool, bool, f64, usize) {
        let exact = !self.is_blanks();
        (self.named, self.named && exact, self.agreeing >= AGREEING, exact, self.agreeing, self.cells)
    }
}

/// The separator of a table that starts with `lines`: one that makes two cells or more of the first line. The first of
/// these decides: `fits` knows the names that it makes of the first line, and it is not blanks; most lines have as many
/// cells as the first; it is not blanks; more lines agree; it makes more cells. `None` if no separator makes two cells.
pub(super) fn guess(lines: &[&str], quotes: Quotes, fits: &dyn Fn(&[String]) -> bool) -> Option<Separator> {
    let divisions = candidates().map(|separator| Division::of(separator, lines, quotes, fits));
    let possible = divisions.into_iter().filter(|division| division.cells > 1);
    // Of equal ones the first is kept.
    let best = possible.reduce(|best, next| if next.rank() > best.rank() { next } else { best });
    best.map(|division| division.separator)
}

/// Cells of a line; `None` if it ends within quotes.
fn count(line: &str, separator: &Separator, quotes: Quotes) -> Option<usize> {
    match separator {
        Separator::Byte(byte) if quotes == Quotes::Standard && *byte != b'\t' => {
            let mut scan = QuoteScan::new();
            scan.line(line.as_bytes(), *byte, 1);
            (!scan.is_open()).then(|| scan.cells())
        }
        Separator::Byte(byte) => Some(1 + line.bytes().filter(|b| b == byte).count()),
        Separator::Text(text) => Some(line.split(text.as_str()).count()),
        Separator::Blanks => Some(blank_cells(line, quotes).count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(text: &str, header: bool) -> Option<String> {
        let lines: Vec<&str> = text.lines().collect();
        let known = |names: &[String]| names.iter().any(|n| n == "user") && names.iter().any(|n| n == "item");
        let found = guess(&lines, Quotes::Standard, &|names| header && known(names));
        found.map(|separator| separator.to_string())
    }

    #[test]
    fn the_names_of_the_columns_decide_then_the_lines() {
        for (text, header, expected) in [
            ("user,item\na,b\n", true, Some("commas")),
            ("user;item;a,b\n1;2;c,d\n", true, Some("semicolons")),
            ("user\titem\tnote\na\tb\tx,y,z\n", true, Some("tabs")),
            ("user::item\na::b\n", true, Some("\"::\"")),
            ("user|item\na|b\n", true, Some("\"|\"")),
            ("user item rating\na b 3\n", true, Some("blanks")),
            ("1;2;4,5\n3;4;1,0\n", false, Some("semicolons")),
            ("1::2::5::9\n3::4::1::9\n", false, Some("\"::\"")),
            ("Ann B,x 1\nCy D,y 2\n", false, Some("commas")),
            ("1 2\n3 4\n", false, Some("blanks")),
            ("user\titem\n1\t\"a\tb\"\n2\t\"c\nd\"\n", true, Some("tabs")),
            ("one\ntwo\n", false, None),
            ("", false, None),
        ] {
            assert_eq!(guessed(text, header).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn separators_between_quotes_and_in_a_few_texts_do_not_count() {
        let quoted = "user,item,note\n\"a;b\",c,\"d;e\"\n\"f;g\",h,\"i;j\"\n";
        assert_eq!(guessed(quoted, false).as_deref(), Some("commas"));
        let mut many = "a,b;c\n".to_owned();
        (0..50).for_each(|n| many += &format!("{n},x{}\n", ";y".repeat(n % 4)));
        assert_eq!(guessed(&many, false).as_deref(), Some("commas"));
    }
}
