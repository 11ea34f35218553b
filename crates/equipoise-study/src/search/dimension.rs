//! The values that one setting may take.

use equipoise_data::{FieldError, Stream};
use toml::Value;

/// A list of values, or a range of numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Dimension {
    /// Any of these.
    List(Vec<Value>),
    /// Any number between two.
    Range(Range),
}

/// Numbers from `low` to `high`, both included.
///
/// | name | default | purpose |
/// |---|---|---|
/// | `low`, `high` | none | the ends |
/// | `log` | false | uniform in the logarithm (then `low > 0`) |
/// | `integer` | false | whole numbers only |
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The smallest value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
    /// Whether values are spread evenly in their logarithm.
    #[serde(default)]
    pub log: bool,
    /// Whether values are whole numbers.
    #[serde(default)]
    pub integer: bool,
}

/// Whole numbers beyond this have neighbours that float64 cannot tell apart.
const WHOLE: f64 = 9_007_199_254_740_992.0;

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{{ low = {}, high = {} }}", self.low, self.high)
    }
}

impl Range {
    fn check(&self, key: &str) -> Result<(), FieldError> {
        let Range { low, high, log, integer } = *self;
        let fault = |expected: &str| Err(FieldError::new(key, self, expected));
        if !low.is_finite() || !high.is_finite() || low >= high {
            return fault("two finite numbers, low below high");
        }
        if log && low <= 0.0 {
            return fault("low above 0, since log = true");
        }
        let whole = |v: f64| v.fract() == 0.0 && v.abs() < WHOLE;
        if integer && !(whole(low) && whole(high)) {
            return fault("whole numbers, since integer = true");
        }
        Ok(())
    }

    /// Where a value lies on the axis on which the prior is uniform: itself, or its logarithm.
    pub fn axis(&self, value: f64) -> f64 {
        if self.log { value.ln() } else { value }
    }

    /// The ends of that axis. A whole number owns the half on either side of it, so that the ends are as
    /// likely as the others.
    pub fn span(&self) -> (f64, f64) {
        let margin = if self.integer { 0.5 } else { 0.0 };
        (self.axis(self.low - margin), self.axis(self.high + margin))
    }

    /// The value at a place of that axis.
    pub fn value(&self, place: f64) -> Value {
        let raw = if self.log { place.exp() } else { place };
        if self.integer {
            return Value::Integer(raw.round().clamp(self.low, self.high) as i64);
        }
        Value::Float(raw.clamp(self.low, self.high))
    }
}

impl Dimension {
    /// Real numbers from `low` to `high`.
    pub fn range(low: f64, high: f64) -> Dimension {
        Dimension::Range(Range { low, high, log: false, integer: false })
    }

    /// The same range, even in the logarithm. A list stays as it is.
    #[must_use]
    pub fn log(self) -> Dimension {
        match self {
            Dimension::Range(range) => Dimension::Range(Range { log: true, ..range }),
            list => list,
        }
    }

    /// The whole numbers of the range. A list stays as it is.
    #[must_use]
    pub fn whole(self) -> Dimension {
        match self {
            Dimension::Range(range) => Dimension::Range(Range { integer: true, ..range }),
            list => list,
        }
    }

    /// Whether the dimension means something; `key` is where it stands.
    pub(super) fn check(&self, key: &str) -> Result<(), FieldError> {
        let values = match self {
            Dimension::Range(range) => return range.check(key),
            Dimension::List(values) => values,
        };
        if values.is_empty() {
            return Err(FieldError::new(key, "[]", "at least one value"));
        }
        for (k, value) in values.iter().enumerate() {
            if matches!(value, Value::Table(_) | Value::Datetime(_)) {
                return Err(FieldError::new(key, value, "numbers, strings, true, false, or lists of them"));
            }
            if values[..k].contains(value) {
                return Err(FieldError::new(key, value, "each value once").hint("it is listed twice"));
            }
        }
        Ok(())
    }

    /// Number of values; `None` for a range of reals.
    pub fn size(&self) -> Option<usize> {
        match self {
            Dimension::List(values) => Some(values.len()),
            Dimension::Range(r) if r.integer => Some((r.high - r.low) as usize + 1),
            Dimension::Range(_) => None,
        }
    }

    /// Value number `index` of a finite dimension.
    pub(super) fn at(&self, index: usize) -> Value {
        match self {
            Dimension::List(values) => values[index].clone(),
            Dimension::Range(r) => Value::Integer(r.low as i64 + index as i64),
        }
    }

    /// A value from the prior.
    pub(super) fn draw(&self, stream: &mut Stream) -> Value {
        match self {
            Dimension::List(values) => values[stream.below(values.len() as u32) as usize].clone(),
            Dimension::Range(range) => {
                let (low, high) = range.span();
                range.value(low + (high - low) * stream.unit())
            }
        }
    }

    /// Values at which a configuration is tried before anything runs: all of a list, the ends of a range.
    pub fn probes(&self) -> Vec<Value> {
        match self {
            Dimension::List(values) => values.clone(),
            Dimension::Range(r) => [r.low, r.high].map(|v| r.value(r.axis(v))).to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_data::Seed;
    use proptest::prelude::*;

    fn number(value: &Value) -> f64 {
        value.as_float().or(value.as_integer().map(|v| v as f64)).unwrap()
    }

    proptest! {
        #[test]
        fn draws_stay_within_their_range(seed: u64, low in 1i64..50, width in 1i64..50, log: bool, integer: bool) {
            let range = Range { low: low as f64, high: (low + width) as f64, log, integer };
            let dimension = Dimension::Range(range);
            prop_assert!(dimension.check("x").is_ok());
            let mut stream = Seed(seed).stream("draws");
            for _ in 0..50 {
                let value = dimension.draw(&mut stream);
                prop_assert!((range.low..=range.high).contains(&number(&value)));
                prop_assert_eq!(value.is_integer(), integer);
            }
        }
    }

    #[test]
    fn a_logarithmic_range_gives_each_decade_its_share() {
        let dimension = Dimension::range(1e-4, 1e-1).log();
        let mut stream = Seed(5).stream("draws");
        let below = (0..3000).filter(|_| number(&dimension.draw(&mut stream)) < 1e-3).count();
        // One decade of three: 1000 expected, standard deviation 26.
        assert!((900..1100).contains(&below), "{below}");
    }

    #[test]
    fn every_whole_number_is_as_likely_as_the_next() {
        let dimension = Dimension::range(1.0, 4.0).whole();
        let (mut stream, mut counts) = (Seed(6).stream("draws"), [0; 4]);
        for _ in 0..4000 {
            counts[number(&dimension.draw(&mut stream)) as usize - 1] += 1;
        }
        // 1000 each, standard deviation 27.
        assert!(counts.iter().all(|c| (890..1110).contains(c)), "{counts:?}");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_was_expected() {
        let fault = |d: Dimension| d.check("x").unwrap_err().to_string();
        assert!(fault(Dimension::range(2.0, 1.0)).contains("low below high"));
        assert!(fault(Dimension::range(0.0, 1.0).log()).contains("low above 0"));
        assert!(fault(Dimension::range(0.5, 2.0).whole()).contains("whole numbers"));
        assert!(fault(Dimension::List(vec![])).contains("at least one value"));
        assert!(fault(Dimension::List(vec![1.into(), 1.into()])).contains("twice"));
    }
}
