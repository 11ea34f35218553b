//! Whether the whole model is worth more than one of its channels.

use crate::audit::{Audit, finite};
use crate::verdict::tolerance;
use crate::words::{list, name, number};
use equipoise_recommend::CalibratedFusion;

/// A sentence or two if the whole model is measurably worse than one of its channels: what is lost, and what calibration makes
/// of it.
pub(crate) fn weaker(audit: &Audit) -> Option<String> {
    let (channel, whole, value, how) = found(audit)?;
    let alone =
        if channel == equipoise_recommend::IDS { "ids".to_owned() } else { format!("{channel} channel") };
    let metric = name(&audit.metric);
    let first = format!(
        "The whole is worse than its {} alone ({metric} {} against {}{how}): 1 + 1 < 2.",
        name(&alone),
        number(whole),
        number(value)
    );
    Some(match audit.calibrated() {
        Some(found) => format!("{first} {}", calibrated(audit, found)),
        None => format!("{first} `equipoise calibrate` chooses weights on validation."),
    })
}

/// The channel, the values of the whole and of the channel, and how it is known that they differ.
fn found(audit: &Audit) -> Option<(String, f64, f64, String)> {
    if let Some(fusion) = &audit.fusion {
        let found = fusion.weaker_than.as_ref()?;
        return Some((found.channel.clone(), fusion.whole, found.value, format!(", {}", found.surety())));
    }
    // Without the users' values a bound of the error decides.
    let whole = finite(audit.whole)?;
    let channels = audit.modalities.iter().map(|m| (m.name.clone(), m.channel, m.errors.whole));
    let ids = audit.ids_only.map(|value| (equipoise_recommend::IDS.to_owned(), value, audit.ids_only_error));
    let beyond = |value: f64, paired| value - whole > tolerance(value, whole, audit.evaluated_users, paired);
    let better =
        channels.chain(ids).filter(|(_, value, paired)| value.is_finite() && beyond(*value, *paired));
    let (channel, value, _) = better.max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some((channel, whole, value, String::new()))
}

/// What weights make of the model.
pub(crate) fn calibrated(audit: &Audit, found: &CalibratedFusion) -> String {
    if found.weights.values().all(|&weight| weight == 1.0) {
        return "Validation has no weights of modalities that are measurably better than those of training."
            .into();
    }
    let weights: Vec<String> = found.weights.iter().map(|(m, w)| format!("{} {w}", name(m))).collect();
    format!(
        "With the weights that validation chose ({}; {} there {} instead of {}) {} on test is {}, measured once.",
        list(&weights),
        name(&found.chosen_by),
        number(found.validation),
        number(found.validation_whole),
        name(&audit.metric),
        number(found.value)
    )
}
