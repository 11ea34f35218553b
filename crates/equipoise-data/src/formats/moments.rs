//! Moments in time as cells say them: numbers, dates and date-times. None of them is made coarser.
//!
//! | cell | moment |
//! |---|---|
//! | `1600000000`, `-3`, `1600000000.25`, `1.6e9` | the number, in the unit of the file |
//! | `2020-02-01`, `2020/02/01` | the start of that day, UTC |
//! | `2020-02-01T13:45`, `2020-02-01 13:45:00.123` | UTC |
//! | the same with `Z`, `UTC`, `GMT`, `+09`, `+0900` or `+09:00` | that instant |
//! | `Tue Apr 03 18:00:06 +0000 2012`, `Tue, 3 Apr 2012 18:00:06 +0000` | that instant |
//! | `Apr 3, 2012`, `April 3, 2012`, `3 Apr 2012`, `03-Apr-2012`, with `18:00` or `18:00:06` behind it | UTC |
//!
//! Dates whose order of day and month is open are refused here; `day_order` reads it off a whole column. A column has moments of one kind, and one unit, which a
//! [`Clock`] finds.

use crate::quoted::quoted;
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, Timelike};

/// Digits after the point that are read.
const MOST_DECIMALS: u32 = 18;

/// What kind of cell a moment stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MomentKind {
    /// A number, whose unit the file does not say.
    Number,
    /// A date or a date-time without a zone.
    Date,
    /// A date-time with a zone.
    Zoned,
}

impl MomentKind {
    fn words(self) -> &'static str {
        match self {
            MomentKind::Number => "numbers",
            MomentKind::Date => "dates without a zone",
            MomentKind::Zoned => "dates with a zone",
        }
    }
}

/// A moment: `digits * 10^-decimals`, in the unit of the file or in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    kind: MomentKind,
    digits: i128,
    decimals: u32,
}

impl Moment {
    /// A whole number.
    pub(crate) fn whole(value: i64) -> Moment {
        Moment { kind: MomentKind::Number, digits: value.into(), decimals: 0 }
    }

    /// A number with `decimals` digits after the point.
    pub(crate) fn scaled(kind: MomentKind, digits: i128, decimals: u32) -> Moment {
        let (mut digits, mut decimals) = (digits, decimals);
        while decimals > 0 && digits % 10 == 0 {
            (digits, decimals) = (digits / 10, decimals - 1);
        }
        Moment { kind, digits, decimals }
    }

    /// A float, whose shortest decimals count; nothing for NaN.
    ///
    /// # Errors
    /// If it is not finite, or has too many digits.
    pub(crate) fn float(value: f64) -> Result<Option<Moment>, String> {
        // A whole number below 2^53 needs no text.
        if value.fract() == 0.0 && value.abs() < 9e15 {
            return Ok(Some(Moment::whole(value as i64)));
        }
        Moment::cell(&value.to_string())
    }

    /// The number without its fraction.
    fn truncated(&self) -> i128 {
        self.digits / 10i128.pow(self.decimals)
    }

    /// Reads a cell; nothing for an empty one and for words such as `NaN` and `null`.
    ///
    /// # Errors
    /// What was expected and what to do, if it is no moment or an ambiguous one.
    pub(crate) fn cell(cell: &str) -> Result<Option<Moment>, String> {
        let cell = cell.trim();
        if let Ok(value) = cell.parse() {
            return Ok(Some(Moment::whole(value)));
        }
        if is_absent(cell) {
            return Ok(None);
        }
        let found = number(cell).or_else(|| date(cell)).or_else(|| named_month(cell));
        found.map(Some).ok_or_else(|| refusal(cell))
    }
}

/// Whether a cell says that there is no value.
pub(crate) fn is_absent(cell: &str) -> bool {
    const WORDS: [&str; 8] = ["", "nan", "na", "n/a", "null", "none", "nat", "\\n"];
    cell.len() <= 4 && WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

fn refusal(cell: &str) -> String {
    let aside = "or leave the column aside with --timestamp-column \"\"";
    let parts: Vec<&str> = cell.split([' ', 'T']).next().unwrap_or("").split(['/', '.', '-']).collect();
    let short = |part: &&str| matches!(part.len(), 1..=4) && part.bytes().all(|b| b.is_ascii_digit());
    if parts.len() == 3 && parts.iter().all(short) && parts[0].len() < 3 {
        return format!(
            "timestamp {}: is the day first, or the month? Expected the year first, such as 2020-02-01; \
             rewrite the column, {aside}",
            quoted(cell)
        );
    }
    format!(
        "timestamp {}, expected a number of at most {MOST_DECIMALS} decimals, or a date such as 2020-02-01 or \
         2020-02-01T13:45:00Z; convert the column, {aside}",
        quoted(cell)
    )
}

/// A decimal number, with or without an exponent.
fn number(cell: &str) -> Option<Moment> {
    let (mantissa, exponent) = match cell.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (cell, 0),
    };
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    let digits: i128 = format!("{sign}{whole}{fraction}").parse().ok()?;
    let decimals = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    if digits == 0 {
        return Some(Moment::whole(0));
    }
    if decimals < 0 {
        let digits = digits.checked_mul(10i128.checked_pow(decimals.unsigned_abs())?)?;
        return Some(Moment { kind: MomentKind::Number, digits, decimals: 0 });
    }
    // Zeros at the end of the digits may make up for a large exponent.
    let zeros = 10i128.checked_pow(decimals.unsigned_abs()).is_some();
    let moment = zeros.then(|| Moment::scaled(MomentKind::Number, digits, decimals.unsigned_abs()))?;
    (moment.decimals <= MOST_DECIMALS).then_some(moment)
}

/// A date that begins with the year, and the time of day and the zone if they are there.
fn date(cell: &str) -> Option<Moment> {
    let year_first = cell.bytes().take(4).all(|b| b.is_ascii_digit());
    let mark = cell.chars().nth(4).filter(|mark| year_first && matches!(mark, '-' | '/'))?;
    let (day, rest) = cell.split_at(cell.find(['T', 't', ' ']).unwrap_or(cell.len()));
    let mut parts = day.split(mark);
    let mut part = |longest: usize| {
        let digits = parts.next()?;
        let sound = (1..=longest).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        sound.then(|| digits.parse::<u32>().ok()).flatten()
    };
    let (year, month, of_month) = (part(4)?, part(2)?, part(2)?);
    if parts.next().is_some() {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, of_month)?;
    let midnight = day.and_time(NaiveTime::MIN).and_utc().timestamp();
    if rest.trim().is_empty() {
        return (rest.is_empty()).then(|| Moment::scaled(MomentKind::Date, midnight.into(), 0));
    }
    let (time, zone) = zone(rest[1..].trim_start());
    let offset = match zone {
        "" => None,
        zone => Some(offset(zone)?),
    };
    let (seconds, fraction, decimals) = time_of_day(time)?;
    let seconds = i128::from(midnight + seconds - i64::from(offset.unwrap_or(0)));
    let kind = if offset.is_some() { MomentKind::Zoned } else { MomentKind::Date };
    Some(Moment::scaled(kind, seconds * 10i128.pow(decimals) + fraction, decimals))
}

/// Divides a time of day from the zone behind it.
fn zone(text: &str) -> (&str, &str) {
    let end =
        text.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ','))).unwrap_or(text.len());
    let (time, zone) = text.split_at(end);
    (time, zone.trim())
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i32> {
    if ["z", "utc", "gmt"].iter().any(|name| zone.eq_ignore_ascii_case(name)) {
        return Some(0);
    }
    let whole = if zone.len() == 3 { format!("{zone}:00") } else { zone.to_owned() };
    let offset: FixedOffset = whole.parse().ok()?;
    Some(offset.local_minus_utc())
}

/// Seconds since midnight, the digits of the fraction and how many they are.
fn time_of_day(text: &str) -> Option<(i64, i128, u32)> {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let form = if clock.matches(':').count() == 1 { "%H:%M" } else { "%H:%M:%S" };
    let time = NaiveTime::parse_from_str(clock, form).ok()?;
    // A leap second is the 60th of its minute.
    let seconds = i64::from(time.num_seconds_from_midnight()) + i64::from(time.nanosecond() / 1_000_000_000);
    let fraction = fraction.trim_end_matches('0');
    let decimals = u32::try_from(fraction.len()).ok().filter(|&n| n <= MOST_DECIMALS)?;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) || (form == "%H:%M" && decimals > 0) {
        return None;
    }
    Some((seconds, if fraction.is_empty() { 0 } else { fraction.parse().ok()? }, decimals))
}

/// Forms in which the name of the month stands.
fn named_month(cell: &str) -> Option<Moment> {
    let found = DateTime::parse_from_str(cell, "%a %b %d %H:%M:%S %z %Y");
    if let Ok(found) = found.or_else(|_| DateTime::parse_from_rfc2822(cell)) {
        return Some(Moment::scaled(MomentKind::Zoned, found.timestamp().into(), 0));
    }
    const DAYS: [&str; 3] = ["%B %d, %Y", "%d %B %Y", "%d-%B-%Y"];
    let day = |form: &&str| NaiveDate::parse_and_remainder(cell, form).ok();
    let (day, rest) = DAYS.iter().find_map(day)?;
    let (seconds, fraction, decimals) = match rest.strip_prefix(' ') {
        Some(time) => time_of_day(time)?,
        None if rest.is_empty() => (0, 0, 0),
        None => return None,
    };
    let seconds = i128::from(day.and_time(NaiveTime::MIN).and_utc().timestamp() + seconds);
    Some(Moment::scaled(MomentKind::Date, seconds * 10i128.pow(decimals) + fraction, decimals))
}

/// Units in which numbers count from 1970: the least and the next larger power of ten that years 1973 to 2286 have in each.
const UNITS: [(&str, u32, u32); 4] =
    [("seconds", 8, 10), ("milliseconds", 11, 13), ("microseconds", 14, 16), ("nanoseconds", 17, 19)];

/// In which of [`UNITS`] a number would be a moment of our days.
fn unit_of(moment: &Moment) -> Option<usize> {
    let whole = moment.truncated().unsigned_abs();
    UNITS.iter().position(|(_, least, next)| (10u128.pow(*least)..10u128.pow(*next)).contains(&whole))
}

/// Brings the moments of one column to one kind and one unit, in 64 bits.
///
/// The unit is that of the file for numbers and the second for dates, until a moment has a fraction: from then on it is
/// a thousandth of it, a millionth and so on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    kind: Option<MomentKind>,
    /// The unit is `10^-decimals`.
    decimals: u32,
    /// Largest magnitude so far, in the unit.
    largest: u64,
    /// The first number of the size that moments of our days have in each of [`UNITS`].
    sizes: [Option<Moment>; 4],
}

impl Clock {
    /// The moment in the unit of the column. Where it makes the unit finer, `finer` is given the number by which all
    /// moments before it must be multiplied.
    ///
    /// # Errors
    /// If it is of another kind than those before it, or the column does not fit 64 bits.
    pub(crate) fn read(&mut self, moment: Moment, finer: impl FnOnce(i64)) -> Result<i64, String> {
        let kind = *self.kind.get_or_insert(moment.kind);
        if kind != moment.kind {
            let (before, now) = (kind.words(), moment.kind.words());
            return Err(format!(
                "the timestamps are {now}, those before it {before}; write the column in one way"
            ));
        }
        if let (MomentKind::Number, Some(unit)) = (kind, unit_of(&moment)) {
            self.sizes[unit].get_or_insert(moment);
        }
        let exact = moment.decimals.max(self.decimals);
        let thousandths = exact.next_multiple_of(3);
        let fitting = [thousandths, exact].into_iter().find_map(|decimals| {
            let factor = 10i64.checked_pow(decimals - self.decimals)?;
            let largest = self.largest.checked_mul(factor.unsigned_abs())?;
            let digits = moment.digits.checked_mul(10i128.checked_pow(decimals - moment.decimals)?)?;
            let value = i64::try_from(digits).ok()?;
            let largest = largest.max(value.unsigned_abs());
            (largest <= i64::MAX as u64).then_some((decimals, factor, value, largest))
        });
        let (decimals, factor, value, largest) = fitting.ok_or_else(|| {
            format!("the timestamps of the column do not fit 64 bits with {exact} decimals; round them")
        })?;
        if factor > 1 {
            finer(factor);
        }
        (self.decimals, self.largest) = (decimals, largest);
        Ok(value)
    }

    /// What the column's moments became, where that is not plain, and whether they seem to be in several units.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.became().into_iter().chain(self.several_units()).collect()
    }

    /// Seconds and milliseconds in one column have a wrong order.
    fn several_units(&self) -> Option<String> {
        let sized = UNITS.iter().zip(self.sizes).filter_map(|((unit, ..), first)| Some((unit, first?)));
        let sized: Vec<String> =
            sized.map(|(unit, first)| format!("{unit} ({})", first.truncated())).collect();
        (sized.len() > 1).then(|| {
            format!(
                "timestamps are of the sizes of {}; if they are in several units, their order is wrong: write them in one",
                sized.join(" and of ")
            )
        })
    }

    fn became(&self) -> Option<String> {
        let unit = match self.decimals {
            0 => "seconds".to_owned(),
            3 => "milliseconds".to_owned(),
            6 => "microseconds".to_owned(),
            9 => "nanoseconds".to_owned(),
            n => format!("units of 10^-{n} s"),
        };
        match (self.kind?, self.decimals) {
            (MomentKind::Number, 0) => None,
            (MomentKind::Number, n) => {
                Some(format!("timestamps have fractions and are kept in units of 10^-{n} of the file's"))
            }
            (MomentKind::Date, _) => {
                Some(format!("dates without a zone are taken as UTC and kept as {unit} since 1970"))
            }
            (MomentKind::Zoned, _) => Some(format!("dates are kept as {unit} since 1970")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The column in the order given, its unit as a power of ten.
    fn column(cells: &[&str]) -> Result<(Vec<i64>, u32), String> {
        let (mut clock, mut times) = (Clock::default(), Vec::<i64>::new());
        for cell in cells {
            let moment = Moment::cell(cell)?.ok_or("no moment")?;
            let value = clock.read(moment, |factor| times.iter_mut().for_each(|time| *time *= factor))?;
            times.push(value);
        }
        Ok((times, clock.decimals))
    }

    #[test]
    fn numbers_keep_their_unit_and_fractions_make_it_finer_for_all() {
        assert_eq!(
            column(&["1600000000", "-3", "+7", "1.6e9", "12.000"]),
            Ok((vec![1_600_000_000, -3, 7, 1_600_000_000, 12], 0))
        );
        assert_eq!(
            column(&["1600000000", "1600000000.25", "-0.5"]),
            Ok((vec![1_600_000_000_000, 1_600_000_000_250, -500], 3))
        );
        // Milliseconds, microseconds and nanoseconds since 1970 are numbers like any other.
        let large = ["1600000000123", "1600000000123456", "1600000000123456789", "9223372036854775807"];
        assert_eq!(column(&large).map(|c| c.0[3]), Ok(i64::MAX));
        assert_eq!(column(&["0.12345678901234567"]).map(|c| c.1), Ok(18));
        assert_eq!(column(&["1.5e-3", "1.2500e2"]), Ok((vec![1_500, 125_000_000], 6)));
    }

    #[test]
    fn dates_are_seconds_since_1970_whatever_they_are_written_in() {
        let noon = 1_580_558_400;
        for (cell, seconds) in [
            ("2020-02-01", noon - 43_200),
            ("2020/2/1", noon - 43_200),
            ("2020-02-01T12:00", noon),
            ("2020-02-01 12:00:00", noon),
            ("2020-02-01 12:00:00.000", noon),
            ("2020-02-01T12:00:00Z", noon),
            ("2020-02-01 12:00:00 UTC", noon),
            ("2020-02-01T14:00:00+02", noon),
            ("2020-02-01T14:00:00+0200", noon),
            ("2020-02-01T07:00:00-05:00", noon),
            ("2016-12-31T23:59:60Z", 1_483_228_800),
            ("Sat Feb 01 12:00:00 +0000 2020", noon),
            ("Sat, 1 Feb 2020 12:00:00 +0000", noon),
            ("Feb 1, 2020", noon - 43_200),
            ("February 01, 2020 12:00", noon),
            ("1 Feb 2020", noon - 43_200),
            ("01-FEB-2020 12:00:00", noon),
        ] {
            assert_eq!(column(&[cell]), Ok((vec![seconds], 0)), "{cell}");
        }
        let fine = ["2020-02-01T12:00:00.5Z", "2020-02-01T12:00:00.25Z", "1969-12-31T23:59:59.75Z"];
        assert_eq!(column(&fine), Ok((vec![noon * 1000 + 500, noon * 1000 + 250, -250], 3)));
        assert_eq!(column(&["2020-02-01 12:00:00.123456789"]).map(|c| c.1), Ok(9));
    }

    #[test]
    fn what_is_open_or_no_moment_is_refused_with_the_way_out() {
        for (cell, says) in [
            ("01/02/2020", "day first, or the month"),
            ("1.2.20", "day first, or the month"),
            ("13-02-2020 10:00", "day first, or the month"),
            ("2020-13-01", "expected a number"),
            ("2020-02-30", "expected a number"),
            ("2020-02-01 25:00", "expected a number"),
            ("2020-02-01T12:00:00 CET", "expected a number"),
            ("2020-02-01-03", "expected a number"),
            ("May", "--timestamp-column"),
            ("Feb 30, 2020", "expected a number"),
            ("Feb 1, 2020!", "expected a number"),
            ("1e400", "decimals"),
            ("0.1234567890123456789", "18 decimals"),
            ("inf", "expected a number"),
            ("1600000000 s", "expected a number"),
        ] {
            let message = Moment::cell(cell).expect_err(cell);
            assert!(message.contains(says) && message.len() < 300, "{cell}: {message}");
        }
        for cell in ["", " ", "NaN", "NaT", "null", "None", "\\N"] {
            assert_eq!(Moment::cell(cell), Ok(None), "{cell}");
        }
    }

    #[test]
    fn a_column_has_one_kind_and_fits_64_bits_or_is_refused() {
        for (cells, says) in [
            (&["1600000000", "2020-02-01"][..], "one way"),
            (&["2020-02-01", "2020-02-01T12:00:00Z"], "with a zone"),
            (&["9223372036854775807", "0.5"], "64 bits"),
            (&["99999999999999999999"], "64 bits"),
        ] {
            let message = column(cells).expect_err(says);
            assert!(message.contains(says), "{message}");
        }
        // Exact decimals where thousandths of thousandths would not fit.
        assert_eq!(column(&["92233720368547758", "0.01"]), Ok((vec![9_223_372_036_854_775_800, 1], 2)));
    }

    #[test]
    fn seconds_and_milliseconds_in_one_column_are_said() {
        let notes = |cells: &[&str]| {
            let mut clock = Clock::default();
            for cell in cells {
                let moment = Moment::cell(cell).expect("sound").expect("a moment");
                clock.read(moment, |_| ()).expect("it fits");
            }
            clock.notes()
        };
        let mixed = notes(&["7", "1600000000", "1600000001123", "1600000002"]);
        assert!(mixed[0].contains("seconds (1600000000) and of milliseconds (1600000001123)"), "{mixed:?}");
        assert_eq!(notes(&["1600000000.5", "1600000000123456"]).len(), 2, "fractions are said too");
        for sound in [
            &["1600000000", "-1", "99999999", "1700000000"][..],
            &["1600000000123", "20200201"],
            &["2020-02-01"],
        ] {
            assert!(notes(sound).iter().all(|note| !note.contains("several units")), "{sound:?}");
        }
    }

    #[test]
    fn floats_are_their_shortest_decimals() {
        let read = |value: f64| Moment::float(value).map(|m| m.map(|m| (m.digits, m.decimals)));
        assert_eq!(read(1_600_000_000.25), Ok(Some((160_000_000_025, 2))));
        assert_eq!(read(0.1), Ok(Some((1, 1))));
        assert_eq!(read(1.6e12), Ok(Some((1_600_000_000_000, 0))));
        assert_eq!(read(f64::NAN), Ok(None));
        assert!(read(f64::INFINITY).is_err() && read(1e300).is_err());
    }

    proptest! {
        #[test]
        fn the_order_of_fractions_is_kept(values in prop::collection::vec((-1_000_000_000i64..2_000_000_000, 0u32..1_000_000), 1..20)) {
            let texts: Vec<String> = values.iter().map(|(s, f)| format!("{s}.{f:06}")).collect();
            let cells: Vec<&str> = texts.iter().map(String::as_str).collect();
            let (times, _) = column(&cells).expect("they fit");
            let exact = |&(s, f): &(i64, u32)| i128::from(s) * 1_000_000 + if s < 0 { -i128::from(f) } else { f.into() };
            for (a, ta) in values.iter().zip(&times) {
                for (b, tb) in values.iter().zip(&times) {
                    prop_assert_eq!(exact(a).cmp(&exact(b)), ta.cmp(tb));
                }
            }
        }
    }
}
