//! Dates such as `3/4/2020`: whether the day or the month comes first is read off the whole column, where any date shows it.
//!
//! `31/12/2019` has the day first and `12/31/2019` the month. A column without such a date is refused, and so is one with both.

use std::cell::OnceCell;

use chrono::NaiveTime;

use super::moments::Moment;
use crate::error::DataError;
use crate::quoted::quoted;

/// What comes first in a date that ends with the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Day,
    Month,
}

/// A date that ends with the year, and what stands behind it.
struct YearLast<'a> {
    first: u32,
    second: u32,
    year: &'a str,
    /// The time of day, if there is one.
    rest: &'a str,
}

impl<'a> YearLast<'a> {
    /// Reads `3/4/2020`, `3.4.2020` or `3-4-2020`, with or without a time behind a blank.
    fn of(cell: &'a str) -> Option<YearLast<'a>> {
        let (day, rest) = cell.trim().split_once(' ').unwrap_or((cell.trim(), ""));
        let mark =
            day.chars().find(|c| !c.is_ascii_digit()).filter(|mark| matches!(mark, '/' | '.' | '-'))?;
        let parts: Vec<&str> = day.split(mark).collect();
        let [first, second, year] = parts[..] else { return None };
        let digits = |text: &str, longest: usize| {
            let sound = (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            sound.then(|| text.parse().ok()).flatten()
        };
        let (first, second) = (digits(first, 2)?, digits(second, 2)?);
        (year.len() == 4 && digits(year, 4).is_some()).then(|| YearLast {
            first,
            second,
            year,
            rest: rest.trim(),
        })
    }

    /// What must come first; `None` where both are possible.
    fn shows(&self) -> Option<First> {
        match (self.first > 12, self.second > 12) {
            (true, false) => Some(First::Day),
            (false, true) => Some(First::Month),
            _ => None,
        }
    }

    /// The same date with the year first.
    fn year_first(&self, first: First) -> String {
        let (month, day) = match first {
            First::Day => (self.second, self.first),
            First::Month => (self.first, self.second),
        };
        let date = format!("{}-{month:02}-{day:02}", self.year);
        if self.rest.is_empty() { date } else { format!("{date} {}", of_24_hours(self.rest)) }
    }
}

/// A time of day without AM and PM; any other text as it is.
fn of_24_hours(time: &str) -> String {
    let forms = ["%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p"];
    let found = forms.iter().find_map(|form| NaiveTime::parse_from_str(time, form).ok());
    found.map_or_else(|| time.to_owned(), |time| time.format("%H:%M:%S").to_string())
}

/// What the dates of a column show: the first that has the day first, and the first that has the month.
#[derive(Default)]
struct Shown {
    day: Option<String>,
    month: Option<String>,
}

impl Shown {
    fn look(&mut self, cell: &str) {
        let by = match YearLast::of(cell).and_then(|date| date.shows()) {
            Some(First::Day) => &mut self.day,
            Some(First::Month) => &mut self.month,
            None => return,
        };
        by.get_or_insert_with(|| cell.trim().to_owned());
    }
}

/// Shows every cell of a column, one after the other.
type Cells<'a> = &'a dyn Fn(&mut dyn FnMut(&str)) -> Result<(), DataError>;

/// How the moments of one column of text are read.
pub(crate) struct Dates<'a> {
    cells: Cells<'a>,
    shown: OnceCell<Shown>,
}

impl<'a> Dates<'a> {
    /// A column whose cells `cells` shows: they are looked at once, if a date makes it necessary.
    pub(crate) fn new(cells: Cells<'a>) -> Dates<'a> {
        Dates { cells, shown: OnceCell::new() }
    }

    /// The moment in a cell of the column; nothing for an empty one.
    ///
    /// # Errors
    /// What is no moment, or an ambiguous one, with what to do.
    pub(crate) fn moment(&self, cell: &str) -> Result<Option<Moment>, String> {
        let Some(date) = YearLast::of(cell) else { return Moment::cell(cell) };
        match self.shown() {
            Shown { day: Some(day), month: Some(month) } => Err(format!(
                "timestamp {}: {} of this column has the day first, {} the month; write the column in one way",
                quoted(cell),
                quoted(day),
                quoted(month)
            )),
            Shown { day: Some(_), .. } => Moment::cell(&date.year_first(First::Day)),
            Shown { month: Some(_), .. } => Moment::cell(&date.year_first(First::Month)),
            _ => Moment::cell(cell),
        }
    }

    fn shown(&self) -> &Shown {
        self.shown.get_or_init(|| {
            let mut shown = Shown::default();
            // A file that cannot be read is told of by whoever reads its rows.
            let _ = (self.cells)(&mut |cell| shown.look(cell));
            shown
        })
    }

    /// What was found, in words.
    pub(crate) fn said(&self) -> Option<String> {
        match self.shown.get()? {
            Shown { day: Some(cell), month: None } => {
                Some(format!("dates have the day first, as {} shows", quoted(cell)))
            }
            Shown { day: None, month: Some(cell) } => {
                Some(format!("dates have the month first, as {} shows", quoted(cell)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cells: &[&str]) -> (Vec<Result<Option<Moment>, String>>, Option<String>) {
        let all = |look: &mut dyn FnMut(&str)| {
            cells.iter().for_each(|cell| look(cell));
            Ok(())
        };
        let dates = Dates::new(&all);
        (cells.iter().map(|cell| dates.moment(cell)).collect(), dates.said())
    }

    fn same(cells: &[&str], as_if: &[&str], says: &str) {
        let (found, said) = read(cells);
        let expected: Vec<_> = as_if.iter().map(|cell| Moment::cell(cell)).collect();
        assert_eq!(found, expected, "{cells:?}");
        assert!(said.expect("an order").contains(says), "{cells:?}");
    }

    #[test]
    fn one_date_shows_the_order_of_the_whole_column() {
        same(
            &["3/4/2020", "", "31/12/2019"],
            &["2020-04-03", "", "2019-12-31"],
            "day first, as \"31/12/2019\"",
        );
        same(&["3.4.2020", "13.4.2020 8:26"], &["2020-04-03", "2020-04-13 08:26"], "day first");
        same(
            &["12/1/2010 8:26", "12/13/2010 17:05:01"],
            &["2010-12-01 08:26", "2010-12-13 17:05:01"],
            "month first",
        );
        same(
            &["11/13/2019 9:05:58 AM", "11/11/2019 12:00 PM", "11/11/2019 12:30 AM"],
            &["2019-11-13 09:05:58", "2019-11-11 12:00", "2019-11-11 00:30"],
            "month first",
        );
        same(&["2/3/2020", "2/29/2020"], &["2020-02-03", "2020-02-29"], "month first");
    }

    #[test]
    fn a_column_that_shows_none_or_both_is_refused() {
        let (found, said) = read(&["1/2/2020", "3/3/2020"]);
        assert!(
            found.iter().all(|m| m.as_ref().is_err_and(|e| e.contains("is the day first, or the month?")))
                && said.is_none()
        );
        let (found, _) = read(&["13/2/2020", "2/13/2020", "1/1/2020"]);
        let both = "\"13/2/2020\" of this column has the day first, \"2/13/2020\" the month";
        assert!(found.iter().all(|m| m.as_ref().is_err_and(|e| e.contains(both))), "{found:?}");
        for cell in ["13/13/2020", "31/2/2020", "30/13/20", "13/2/2020 25:00"] {
            assert!(read(&["14/1/2020", cell]).0[1].is_err(), "{cell}");
        }
    }

    #[test]
    fn other_cells_are_read_as_ever() {
        let (found, said) = read(&["1600000000", "2020-02-01", "Apr 3, 2012"]);
        assert!(found.iter().all(Result::is_ok) && said.is_none());
    }
}
