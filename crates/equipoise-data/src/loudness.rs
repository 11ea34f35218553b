//! Whether one modality is louder than another: features of larger norm have larger scores and gradients from the first step on.

use crate::features::Features;
use serde::{Deserialize, Serialize};

/// Mean norms that differ by more than this are told.
pub const LOUD: f64 = 3.0;

/// The loudest and the quietest modality, where their mean norms differ more than [`LOUD`]-fold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    /// The modality whose rows have the largest norm on average.
    pub loudest: String,
    /// The one whose rows have the smallest.
    pub quietest: String,
    /// The ratio of the two mean norms, more than [`LOUD`].
    pub times: f64,
}

impl Loudness {
    /// Compares modalities by the mean Euclidean norm of their rows, zero rows left out; `None` if none is much louder than
    /// another. A modality whose rows are all zero, or whose norms are not finite, does not count.
    pub fn of<'a>(modalities: impl IntoIterator<Item = (&'a str, &'a Features)>) -> Option<Loudness> {
        let norms = modalities.into_iter().map(|(name, features)| (name, mean_norm(features)));
        let norms: Vec<(&str, f64)> = norms.filter(|(_, norm)| norm.is_finite() && *norm > 0.0).collect();
        let (loudest, high) = norms.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let (quietest, low) = norms.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
        let times = high / low;
        (times > LOUD).then(|| Loudness {
            loudest: (*loudest).to_owned(),
            quietest: (*quietest).to_owned(),
            times,
        })
    }

    /// In a sentence, without its full stop: `audio is 95 times as loud as text (mean norm of a row)`.
    pub fn sentence(&self) -> String {
        let digits = usize::from(self.times < 10.0);
        format!(
            "{} is {:.digits$} times as loud as {} (mean norm of a row)",
            self.loudest, self.times, self.quietest
        )
    }
}

/// The mean norm of the rows that are not zero; not a number if all are.
fn mean_norm(features: &Features) -> f64 {
    let (mut sum, mut rows) = (0.0, 0usize);
    features.each_row(|row| {
        let square: f64 = row.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        if square > 0.0 {
            sum += square.sqrt();
            rows += 1;
        }
    });
    sum / rows as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(values: &[f32]) -> Features {
        Features::new(values.len() / 2, 2, values.to_vec()).unwrap()
    }

    #[test]
    fn the_loudest_and_the_quietest_are_named_beyond_threefold() {
        let (text, image) = (features(&[3.0, 4.0, 0.0, 0.0]), features(&[0.3, 0.4, 0.0, 1.0]));
        let found = Loudness::of([("image", &image), ("text", &text)]).unwrap();
        assert_eq!((found.loudest.as_str(), found.quietest.as_str()), ("text", "image"));
        assert!((found.times - 5.0 / 0.75).abs() < 1e-6, "zero rows are left out: {}", found.times);
        assert_eq!(found.sentence(), "text is 6.7 times as loud as image (mean norm of a row)");
        let louder = Loudness { times: 95.2, ..found };
        assert!(louder.sentence().starts_with("text is 95 times"));
    }

    #[test]
    fn alike_alone_and_empty_modalities_are_not_compared() {
        let (one, two, none) = (features(&[1.0, 0.0]), features(&[0.0, 3.0]), features(&[0.0, 0.0]));
        assert_eq!(Loudness::of([("a", &one), ("b", &two)]), None, "threefold is not more than threefold");
        assert_eq!(Loudness::of([("a", &one)]), None);
        assert_eq!(Loudness::of([("a", &one), ("b", &none)]), None);
        assert_eq!(Loudness::of([]), None);
    }
}
