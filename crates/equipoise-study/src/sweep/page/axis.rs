//! The axis of one setting: even steps for a list, the range itself otherwise, by decades where it is
//! logarithmic.

use toml::Value;

use crate::search::{Dimension, Range, short};
use equipoise_report::page::Scale;
use equipoise_report::words::short_name;

/// Where the values of a setting lie, as shares of an axis from 0 to 1.
pub(super) struct Axis<'a> {
    dimension: &'a Dimension,
}

impl<'a> Axis<'a> {
    pub(super) fn new(dimension: &'a Dimension) -> Axis<'a> {
        Axis { dimension }
    }

    /// The share of a value; `None` for one that is not of this setting.
    pub(super) fn share(&self, value: &Value) -> Option<f64> {
        match self.dimension {
            Dimension::List(values) => {
                let place = values.iter().position(|v| v == value)?;
                Some(step(place, values.len()))
            }
            Dimension::Range(range) => {
                let number = value.as_float().or(value.as_integer().map(|v| v as f64))?;
                Some(share(range, number))
            }
        }
    }

    /// Shares and labels of the marks along the axis.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        match self.dimension {
            Dimension::List(values) => {
                let label = |(k, v)| (step(k, values.len()), short_name(&short(v), 12));
                values.iter().enumerate().map(label).collect()
            }
            Dimension::Range(range) if range.log => {
                let label = |v: f64| (share(range, v), short(&Value::Float(v)));
                round(range).into_iter().map(label).collect()
            }
            Dimension::Range(range) => {
                let scale = Scale::spanning([range.low, range.high].into_iter(), false, 0.0, 1.0);
                let whole = |tick: &f64| !range.integer || tick.fract() == 0.0;
                scale.ticks().into_iter().filter(whole).map(|t| (scale.place(t), scale.label(t))).collect()
            }
        }
    }
}

fn step(place: usize, of: usize) -> f64 {
    (place as f64 + 0.5) / of.max(1) as f64
}

fn share(range: &Range, value: f64) -> f64 {
    let (low, high) = (range.axis(range.low), range.axis(range.high));
    ((range.axis(value) - low) / (high - low)).clamp(0.0, 1.0)
}

/// Powers of ten within a logarithmic range, with 2 and 5 times them where there are few; or else its ends.
fn round(range: &Range) -> Vec<f64> {
    let (from, to) = (range.low.log10().floor() as i32, range.high.log10().ceil() as i32);
    let factors: &[f64] = if to - from > 3 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    // Every other decade, and so on, where there are many.
    let stride = 1 + (to - from) as usize / 7;
    let powers = (from..=to).step_by(stride);
    let marks = powers.flat_map(|p| factors.iter().map(move |f| f * 10f64.powi(p)));
    let marks: Vec<f64> = marks.filter(|v| (range.low..=range.high).contains(v)).collect();
    if marks.len() > 1 { marks } else { vec![range.low, range.high] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(dimension: &Dimension) -> Vec<String> {
        Axis::new(dimension).ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn logarithmic_ranges_are_marked_by_decades() {
        let wide = Dimension::range(1e-5, 1e-1).log();
        assert_eq!(ticks(&wide), ["1e-5", "1e-4", "0.001", "0.01", "0.1"]);
        assert_eq!(Axis::new(&wide).share(&Value::Float(1e-3)).map(|s| (s * 4.0).round()), Some(2.0));
        assert_eq!(ticks(&Dimension::range(0.03, 0.6).log()), ["0.05", "0.1", "0.2", "0.5"]);
        assert_eq!(ticks(&Dimension::range(0.3, 0.4).log()), ["0.3", "0.4"]);
    }

    #[test]
    fn lists_stand_in_even_steps_and_whole_numbers_have_no_fractions() {
        let list = Dimension::List(vec![Value::Float(1e-3), Value::Float(0.5)]);
        assert_eq!(Axis::new(&list).share(&Value::Float(0.5)), Some(0.75));
        assert_eq!(Axis::new(&list).share(&Value::Float(0.6)), None);
        assert_eq!(ticks(&Dimension::range(1.0, 4.0).whole()), ["1", "2", "3", "4"]);
    }
}
