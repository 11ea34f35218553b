//! The density of one setting among some trials.
//!
//! A range: on the axis on which the prior is uniform (the logarithm where the range has `log`), of span
//! `[a, b]`, with the trials' values `m_1 <= ... <= m_n`,
//!
//! ```text
//! p(x) = 1/(n+1) ( N(x; (a+b)/2, b-a) + sum over i of N(x; m_i, s_i) ),  each truncated to [a, b]
//! s_i  = the larger of the distances to m_i's neighbours (ends included), within [(b-a)/min(100, n+2), b-a]
//! ```
//!
//! The first term is the prior; so says section 4 of the paper, whose "clipped to a reasonable range" is taken
//! as hyperopt's bounds (Bergstra, Yamins and Cox, ICML 2013). A whole number has the probability of the unit
//! interval around it. A list of `k` values: `p_v = (count_v + 1) / (n + k)`, the paper's `k p + count` for a
//! uniform prior `p`.

use crate::search::{Dimension, Range};
use equipoise_data::Stream;
use statrs::distribution::{ContinuousCDF, Normal};
use toml::Value;

/// A density over the values of one setting.
pub(super) enum Parzen<'a> {
    /// Of a list: the values and their probabilities.
    List(&'a [Value], Vec<f64>),
    /// Of a range.
    Range(&'a Range, Mixture),
}

impl<'a> Parzen<'a> {
    /// The density among trials with these `values` of the setting.
    pub(super) fn new(dimension: &'a Dimension, values: &[Value]) -> Parzen<'a> {
        match dimension {
            Dimension::List(list) => Parzen::List(list, shares(list, values)),
            Dimension::Range(range) => {
                let places = values.iter().filter_map(number).map(|v| range.axis(v)).collect();
                Parzen::Range(range, Mixture::new(range.span(), places))
            }
        }
    }

    /// A value drawn from it.
    pub(super) fn draw(&self, stream: &mut Stream) -> Value {
        match self {
            Parzen::List(values, shares) => values[pick(shares, stream.unit())].clone(),
            Parzen::Range(range, mixture) => range.value(mixture.draw(stream)),
        }
    }

    /// The logarithm of its density, or of a discrete value's probability.
    pub(super) fn log_density(&self, value: &Value) -> f64 {
        let density = match self {
            Parzen::List(values, shares) => values.iter().position(|v| v == value).map_or(0.0, |k| shares[k]),
            Parzen::Range(range, mixture) => number(value).map_or(0.0, |v| {
                if range.integer {
                    mixture.mass(range.axis(v - 0.5), range.axis(v + 0.5))
                } else {
                    mixture.density(range.axis(v))
                }
            }),
        };
        density.max(f64::MIN_POSITIVE).ln()
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_float().or(value.as_integer().map(|v| v as f64))
}

fn shares(list: &[Value], values: &[Value]) -> Vec<f64> {
    let count = |v: &Value| values.iter().filter(|other| *other == v).count() as f64;
    list.iter().map(|v| (count(v) + 1.0) / (values.len() + list.len()) as f64).collect()
}

/// The index at which the running sum of `shares` passes `level`.
fn pick(shares: &[f64], level: f64) -> usize {
    let mut sum = 0.0;
    let passed = shares.iter().position(|share| {
        sum += share;
        level < sum
    });
    // Rounding may leave the sum just below 1.
    passed.unwrap_or(shares.len() - 1)
}

/// Equally weighted normal distributions, each truncated to a span.
pub(super) struct Mixture {
    low: f64,
    high: f64,
    parts: Vec<Truncated>,
}

struct Truncated {
    normal: (f64, f64),
    /// The distribution function at the ends of the span.
    ends: (f64, f64),
}

impl Mixture {
    fn new((low, high): (f64, f64), mut places: Vec<f64>) -> Mixture {
        places.sort_by(f64::total_cmp);
        let width = high - low;
        let least = width / (places.len() as f64 + 2.0).min(100.0);
        let sigma = |k: usize| {
            let left = places[k] - if k == 0 { low } else { places[k - 1] };
            let right = places.get(k + 1).copied().unwrap_or(high) - places[k];
            left.max(right).clamp(least, width)
        };
        let own = (0..places.len()).map(|k| (places[k], sigma(k)));
        let normals = std::iter::once(((low + high) / 2.0, width)).chain(own);
        let parts = normals.map(|(mean, sigma)| {
            let ends = (cdf(mean, sigma, low), cdf(mean, sigma, high));
            Truncated { normal: (mean, sigma), ends }
        });
        Mixture { low, high, parts: parts.collect() }
    }

    fn draw(&self, stream: &mut Stream) -> f64 {
        let part = &self.parts[stream.below(self.parts.len() as u32) as usize];
        let (from, to) = part.ends;
        let (mean, sigma) = part.normal;
        let level = from + (to - from) * stream.unit();
        (mean + sigma * STANDARD.inverse_cdf(level)).clamp(self.low, self.high)
    }

    fn density(&self, x: f64) -> f64 {
        self.mean(|part| {
            let (mean, sigma) = part.normal;
            let z = (x - mean) / sigma;
            (-0.5 * z * z).exp() / (sigma * (2.0 * std::f64::consts::PI).sqrt())
        })
    }

    fn mass(&self, from: f64, to: f64) -> f64 {
        let (from, to) = (from.max(self.low), to.min(self.high));
        self.mean(|part| cdf(part.normal.0, part.normal.1, to) - cdf(part.normal.0, part.normal.1, from))
    }

    /// The mean over the parts of what is measured on each, within the span.
    fn mean(&self, measure: impl Fn(&Truncated) -> f64) -> f64 {
        let sum: f64 = self.parts.iter().map(|part| measure(part) / (part.ends.1 - part.ends.0)).sum();
        sum / self.parts.len() as f64
    }
}

static STANDARD: std::sync::LazyLock<Normal> =
    std::sync::LazyLock::new(|| Normal::new(0.0, 1.0).expect("a positive deviation"));

fn cdf(mean: f64, sigma: f64, x: f64) -> f64 {
    STANDARD.cdf((x - mean) / sigma)
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_data::Seed;
    use proptest::prelude::*;

    fn ranges() -> impl Strategy<Value = Range> {
        (1i64..20, 1i64..40, any::<bool>(), any::<bool>()).prop_map(|(low, width, log, integer)| Range {
            low: low as f64,
            high: (low + width) as f64,
            log,
            integer,
        })
    }

    /// The integral of the density, by the midpoint rule on the axis, or the sum of the probabilities.
    fn total(parzen: &Parzen, range: &Range) -> f64 {
        if range.integer {
            let values = range.low as i64..=range.high as i64;
            return values.map(|v| parzen.log_density(&Value::Integer(v)).exp()).sum();
        }
        let ((from, to), steps) = (range.span(), 4000);
        let width = (to - from) / f64::from(steps);
        let at = |k: i32| range.value(from + (f64::from(k) + 0.5) * width);
        (0..steps).map(|k| parzen.log_density(&at(k)).exp() * width).sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

        #[test]
        fn densities_integrate_to_one_and_draws_stay_within(range in ranges(), seed: u64, n in 0usize..12) {
            let dimension = Dimension::Range(range);
            let mut stream = Seed(seed).stream("values");
            let values: Vec<Value> = (0..n).map(|_| dimension.draw(&mut stream)).collect();
            let parzen = Parzen::new(&dimension, &values);
            let sum = total(&parzen, &range);
            prop_assert!((sum - 1.0).abs() < 1e-3, "{sum}");
            for _ in 0..30 {
                let v = number(&parzen.draw(&mut stream)).unwrap();
                prop_assert!((range.low..=range.high).contains(&v), "{v}");
            }
        }
    }

    #[test]
    fn draws_follow_the_density() {
        let dimension = Dimension::range(0.0, 1.0);
        let parzen = Parzen::new(&dimension, &[Value::Float(0.2), Value::Float(0.25)]);
        let Parzen::Range(_, mixture) = &parzen else { unreachable!() };
        let (mut stream, n) = (Seed(4).stream("draws"), 20_000);
        let drawn: Vec<f64> = (0..n).map(|_| mixture.draw(&mut stream)).collect();
        for k in 0..10 {
            let (from, to) = (f64::from(k) / 10.0, f64::from(k + 1) / 10.0);
            let expected = mixture.mass(from, to);
            let found = drawn.iter().filter(|v| (from..to).contains(*v)).count() as f64 / f64::from(n);
            // Four standard errors.
            let error = 4.0 * (expected * (1.0 - expected) / f64::from(n)).sqrt();
            assert!((found - expected).abs() < error, "{from}: {found} {expected}");
        }
    }

    #[test]
    fn lists_count_and_keep_a_little_of_the_prior() {
        let list = Dimension::List(vec!["a".into(), "b".into()]);
        let parzen = Parzen::new(&list, &["a".into(), "a".into()]);
        assert!((parzen.log_density(&"a".into()).exp() - 0.75).abs() < 1e-12);
        assert!((parzen.log_density(&"b".into()).exp() - 0.25).abs() < 1e-12);
    }

    #[test]
    fn the_density_of_one_trial_is_the_paper_s() {
        // Prior N(0.5, 1) and N(0.2, 0.8) (the larger distance, to the upper end), truncated to [0, 1].
        let dimension = Dimension::range(0.0, 1.0);
        let parzen = Parzen::new(&dimension, &[Value::Float(0.2)]);
        let part = |mean: f64, sigma: f64, x: f64| {
            let normal = Normal::new(mean, sigma).unwrap();
            use statrs::distribution::Continuous;
            normal.pdf(x) / (normal.cdf(1.0) - normal.cdf(0.0))
        };
        let expected = (part(0.5, 1.0, 0.3) + part(0.2, 0.8, 0.3)) / 2.0;
        assert!((parzen.log_density(&Value::Float(0.3)).exp() - expected).abs() < 1e-12);
    }
}
