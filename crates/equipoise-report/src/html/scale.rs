//! From values to places on a drawing: always finite, whatever the input.

/// Values beyond this are drawn at the edge: their differences would overflow.
const LARGEST: f64 = 1e9;

/// A linear map from `[low, high]` in values to `[from, to]` in drawing units.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Spans the finite `values`, and zero if `with_zero`. A span of nothing is widened, so that
    /// [`Scale::place`] never divides by zero.
    pub fn spanning(values: impl Iterator<Item = f64>, with_zero: bool, from: f64, to: f64) -> Self {
        let start = if with_zero { Some((0.0, 0.0)) } else { None };
        let (low, high) = values
            .filter(|v| v.is_finite())
            .map(bounded)
            .fold(start, |span, v| match span {
                None => Some((v, v)),
                Some((low, high)) => Some((f64::min(low, v), f64::max(high, v))),
            })
            .unwrap_or((0.0, 1.0));
        let high =
            if high - low > 1e-9 * high.abs().max(1e-3) { high } else { low + low.abs().max(1.0) * 0.1 };
        Self { low, high, from, to }
    }

    /// The same span with its upper end at the next tick. The lower end stays: a value barely below
    /// zero must not cost a whole step.
    pub fn rounded_up(mut self) -> Self {
        let step = self.step();
        self.high = (self.high / step).ceil() * step;
        self
    }

    /// Where `value` lies; values outside the span lie at its ends.
    pub fn place(&self, value: f64) -> f64 {
        let share = (bounded(value) - self.low) / (self.high - self.low);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Three to six round values inside the span, ascending.
    pub fn ticks(&self) -> Vec<f64> {
        let step = self.step();
        let first = (self.low / step - 1e-6).ceil();
        (0..8)
            .map(|k| (first + f64::from(k)) * step)
            .filter(|&tick| tick <= self.high + step * 1e-6)
            .collect()
    }

    /// A tick's label, with the decimals that its step needs.
    pub fn label(&self, tick: f64) -> String {
        let step = self.step();
        if step >= 1e5 {
            return format!("{tick:.0e}");
        }
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        let text = format!("{tick:.decimals$}");
        // Zero reached from below would read "-0".
        if text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') {
            return "0".into();
        }
        text
    }

    /// 1, 2 or 5 times a power of ten, about a quarter of the span.
    fn step(&self) -> f64 {
        let rough = (self.high - self.low) / 4.0;
        let power = 10_f64.powf(rough.log10().floor());
        let factor =
            [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough * 0.999).unwrap_or(10.0);
        factor * power
    }
}

/// `value` within the range that can be drawn; what is not a number lies at zero.
fn bounded(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(-LARGEST, LARGEST) }
}

/// A coordinate with one decimal.
pub fn at(coordinate: f64) -> String {
    debug_assert!(coordinate.is_finite());
    format!("{coordinate:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_the_span_land_on_the_ends_of_the_drawing() {
        let scale = Scale::spanning([0.2, 0.6].into_iter(), true, 100.0, 0.0);
        assert_eq!(scale.place(0.0), 100.0);
        assert_eq!(scale.place(0.6), 0.0);
        assert!((scale.place(0.3) - 50.0).abs() < 1e-9);
    }

    #[test]
    fn ticks_are_round_and_labelled_without_excess_decimals() {
        let scale = Scale::spanning([0.0, 0.057].into_iter(), true, 0.0, 1.0).rounded_up();
        let labels: Vec<String> = scale.ticks().iter().map(|&t| scale.label(t)).collect();
        assert_eq!(labels, ["0", "0.02", "0.04", "0.06"]);
    }

    #[test]
    fn a_single_value_and_none_at_all_still_make_a_scale() {
        for values in [vec![], vec![0.0], vec![7.0], vec![f64::NAN], vec![1e300, -1e300]] {
            let scale = Scale::spanning(values.iter().copied(), false, 0.0, 10.0).rounded_up();
            assert!(scale.place(7.0).is_finite(), "{values:?}");
            assert!(!scale.ticks().is_empty(), "{values:?}");
        }
    }
}
