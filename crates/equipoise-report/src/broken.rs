//! Whether the whole model would be better with less: without a modality, or without content at all.

use crate::audit::{Audit, ModalityAudit, finite};
use crate::verdict::tolerance;
use crate::words::{capitalised, name, number};

/// A sentence if the whole model is measurably worse than itself without a modality, the worst of them first: which, and what
/// to do.
pub(crate) fn harmed(audit: &Audit) -> Option<String> {
    let whole = finite(audit.whole)?;
    let harms = |m: &ModalityAudit| {
        let gain = finite(m.without)? - whole;
        (gain > tolerance(m.without, whole, audit.evaluated_users, m.errors.removal)).then_some(gain)
    };
    let (worst, _) =
        audit.modalities.iter().filter_map(|m| Some((m, harms(m)?))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    let m = name(&worst.name);
    Some(format!(
        "The whole is worse than itself without {m} ({} {} against {}): {m} costs more than it gives. {}",
        name(&audit.metric),
        number(whole),
        number(worst.without),
        remedy(audit, worst)
    ))
}

/// What to do about a modality that harms.
fn remedy(audit: &Audit, worst: &ModalityAudit) -> String {
    let others: Vec<String> =
        audit.modalities.iter().filter(|m| m.name != worst.name).map(|m| name(&m.name)).collect();
    match &audit.loudness {
        // Told by the next sentence.
        Some(loud) if loud.loudest == worst.name => "Its features are too loud.".into(),
        _ if others.is_empty() => "Try another `data.scale`, or another penalty (`train.reg`).".into(),
        _ => format!("Try another `data.scale`, or train without it (`--modalities {}`).", others.join(",")),
    }
}

/// A sentence if one modality is much louder than another.
pub(crate) fn loud(audit: &Audit) -> Option<String> {
    let loud = audit.loudness.as_ref().filter(|loud| loud.times.is_finite())?;
    let [loudest, quietest] = [&loud.loudest, &loud.quietest].map(|n| name(n));
    let digits = usize::from(loud.times < 10.0);
    Some(format!(
        "{} is {:.digits$} times as loud as {quietest} (mean norm of its features), and decides what is learned first: train \
         again with `--set data.scale=l2`.",
        capitalised(&loudest),
        loud.times
    ))
}

/// A sentence if a model of ids alone is level with the whole, or better.
pub(crate) fn level_with_ids(audit: &Audit) -> Option<String> {
    let (whole, ids) = (finite(audit.whole)?, audit.ids_model.and_then(finite)?);
    let error = tolerance(whole, ids, audit.evaluated_users, audit.ids_model_error);
    if whole - ids > error {
        return None;
    }
    let than = if ids - whole > error { "worse than" } else { "no better than" };
    Some(format!(
        "The whole is {than} a model of ids alone ({} {} against {}): content adds nothing that shows.",
        name(&audit.metric),
        number(whole),
        number(ids)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PairedErrors, headline};
    use equipoise_data::Loudness;

    /// Ids that know much, a modality that costs more than it gives, and one that is of use.
    fn audit() -> Audit {
        let modality = |name: &str, channel, without, teacher: f64, ids| ModalityAudit {
            name: name.into(),
            channel,
            without,
            teacher: Some(teacher),
            teacher_ids_only: Some(ids),
            errors: PairedErrors { removal: Some(0.004), ..PairedErrors::default() },
            ..ModalityAudit::default()
        };
        Audit {
            metric: "recall@20".into(),
            evaluated_users: 5_000,
            whole: 0.2952,
            ids_only: Some(0.3826),
            modalities: vec![
                modality("audio", 0.20, 0.3906, 0.36, 0.359),
                modality("text", 0.30, 0.2940, 0.30, 0.20),
            ],
            loudness: Some(Loudness { loudest: "audio".into(), quietest: "text".into(), times: 95.2 }),
            ..Audit::default()
        }
    }

    #[test]
    fn the_headline_says_first_that_the_whole_is_broken_by_what_and_what_to_do() {
        let said = headline(&audit());
        assert!(
            said.starts_with("The whole is worse than its ids alone (recall@20 0.2952 against 0.3826"),
            "{said}"
        );
        assert!(said.contains("worse than itself without audio (recall@20 0.2952 against 0.3906)"), "{said}");
        assert!(
            said.contains("Audio is 95 times as loud as text") && said.contains("`--set data.scale=l2`"),
            "{said}"
        );
        assert!(
            said.contains("audio behaves like noise: its teacher knows nothing of it")
                || said.contains("Audio behaves"),
            "{said}"
        );
        assert!(!said.contains("pulls its weight"), "nothing measurable is lost without text: {said}");
        let mut alike = audit();
        alike.loudness = None;
        let said = headline(&alike);
        assert!(
            said.contains("or train without it (`--modalities text`)") && !said.contains("loud"),
            "{said}"
        );
    }

    #[test]
    fn a_whole_that_is_no_worse_without_a_modality_is_not_called_so() {
        let mut sound = audit();
        sound.modalities[0].without = 0.3030;
        assert_eq!(harmed(&sound), None, "within two standard errors");
        sound.modalities[0].errors.removal = Some(0.003);
        assert!(harmed(&sound).is_some(), "paired more closely");
        sound.modalities[0].without = f64::NAN;
        assert_eq!(harmed(&sound), None);
    }

    #[test]
    fn a_model_of_ids_alone_is_held_against_the_whole() {
        let of = |ids, error| level_with_ids(&Audit { ids_model: ids, ids_model_error: error, ..audit() });
        assert_eq!(of(None, None), None);
        assert_eq!(of(Some(0.28), Some(0.004)), None, "content adds to it");
        assert!(of(Some(0.29), Some(0.004)).unwrap().contains("no better than a model of ids alone"));
        assert!(of(Some(0.38), Some(0.004)).unwrap().contains("worse than a model of ids alone"));
    }
}
