//! Whether a model is better than each of its channels, beyond noise.

use crate::calibration::Weaker;
use crate::error::RecommendError;
use crate::judged::mean;
use equipoise_eval::{holm, paired_t};

/// At most this is called beyond noise.
const LEVEL: f64 = 0.05;

/// The best channel, if it is measurably better than the whole model: by the paired t test over users, corrected after Holm
/// for the number of channels.
///
/// # Errors
/// If a channel has values of other users than the whole.
pub(crate) fn weaker(
    whole: &[f64],
    channels: &[(String, Vec<f64>)],
) -> Result<Option<Weaker>, RecommendError> {
    // Fewer than two users, or equal values, show no difference.
    let p_value = |values: &[f64]| {
        if whole.len() < 2 || values == whole {
            Ok(1.0)
        } else {
            paired_t(values, whole).map(|test| if test.p_value.is_finite() { test.p_value } else { 1.0 })
        }
    };
    let p_values = channels.iter().map(|(_, values)| p_value(values)).collect::<Result<Vec<_>, _>>()?;
    let corrected = holm(&p_values)?;
    let mut best: Option<Weaker> = None;
    for ((channel, values), p_value) in channels.iter().zip(corrected) {
        let value = mean(values);
        let higher = value > mean(whole) && best.as_ref().is_none_or(|best| value > best.value);
        if higher && p_value <= LEVEL {
            best = Some(Weaker { channel: channel.clone(), value, users: whole.len(), p_value });
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(name: &str, values: &[f64]) -> (String, Vec<f64>) {
        (name.to_owned(), values.to_vec())
    }

    #[test]
    fn only_a_channel_that_is_better_beyond_noise_counts_and_the_best_of_them_is_named() {
        let whole: Vec<f64> = (0..40).map(|u| f64::from(u % 2)).collect();
        let better = |users: usize| -> Vec<f64> {
            whole.iter().enumerate().map(|(u, &v)| if u < users { 1.0 } else { v }).collect()
        };
        let channels =
            [channel("image", &better(2)), channel("text", &better(30)), channel("ids", &better(20))];
        let found = weaker(&whole, &channels).unwrap().unwrap();
        assert_eq!((found.channel.as_str(), found.users), ("text", 40));
        assert!(found.value > 0.5 && found.p_value < 0.001);
        assert_eq!(weaker(&whole, &channels[..1]).unwrap(), None, "one user of forty is noise");
        let worse: Vec<f64> = whole.iter().map(|v| v / 2.0).collect();
        assert_eq!(weaker(&whole, &[channel("text", &worse), channel("ids", &whole)]).unwrap(), None);
    }

    #[test]
    fn nobody_and_a_single_user_show_nothing() {
        assert_eq!(weaker(&[], &[channel("text", &[])]).unwrap(), None);
        assert_eq!(weaker(&[0.0], &[channel("text", &[1.0])]).unwrap(), None);
        assert_eq!(weaker(&[0.0], &[]).unwrap(), None);
    }
}
