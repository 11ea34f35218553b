//! The judgement on each modality: which evidence counts, and how much of it is needed.

use crate::audit::Audit;

mod evidence;
mod kinds;
mod sentence;
mod thresholds;

use evidence::Evidence;
pub use kinds::{ModalityVerdict, Tone, Verdict};
pub(crate) use thresholds::tolerance;
pub use thresholds::{
    COARSEST_RESOLUTION, CONTENT_GAIN, EXCEEDS_ABOVE, REMOVAL_LOSS, STANDARD_ERRORS, UNDER_USED_BELOW,
    standard_error,
};

/// Judges every modality, in the order of the audit.
///
/// With `g = teacher − teacher_ids_only` (what the content adds at most: the IDs beside it learned less than they would have
/// alone), `l = whole − without` (what the
/// whole model loses) and "measurable" meaning beyond [`STANDARD_ERRORS`] standard errors:
///
/// 1. nothing measured → [`Verdict::Inconclusive`]; no teacher → [`Verdict::NoTeacher`];
/// 2. `g` below [`CONTENT_GAIN`] of the teacher or not measurable → [`Verdict::OnlyTogether`] if `l`
///    is measurable and above [`REMOVAL_LOSS`] of the whole, else [`Verdict::Noise`];
/// 3. `-l` measurable and above [`REMOVAL_LOSS`] of what remains → [`Verdict::Harms`];
/// 4. channel / teacher below [`UNDER_USED_BELOW`] and measurably so → [`Verdict::UnderUsed`];
///    above [`EXCEEDS_ABOVE`] and measurably so → [`Verdict::ExceedsTeacher`];
/// 5. below that band but not measurably so → [`Verdict::Inconclusive`];
/// 6. `l` at most [`REMOVAL_LOSS`] of the whole → [`Verdict::Redundant`]; above it and measurable → [`Verdict::Balanced`];
///    above it and not measurable → [`Verdict::Inconclusive`].
///
/// Where the users are so few that [`COARSEST_RESOLUTION`] is exceeded, a verdict that rests on two
/// values being equal becomes [`Verdict::Inconclusive`].
#[must_use]
pub fn verdicts(audit: &Audit) -> Vec<ModalityVerdict> {
    audit
        .modalities
        .iter()
        .map(|modality| {
            let evidence = Evidence::gather(audit, modality);
            let verdict = judge(&evidence);
            ModalityVerdict {
                modality: modality.name.clone(),
                verdict,
                ratio: evidence.ratio(),
                gap: evidence.teacher.zip(evidence.channel).map(|(t, c)| t - c),
                content: evidence.content(),
                removal_loss: evidence.removal_loss(),
                sentence: sentence::write(&modality.name, verdict, &evidence),
            }
        })
        .collect()
}

fn judge(evidence: &Evidence) -> Verdict {
    let (Some(whole), Some(channel)) = (evidence.whole, evidence.channel) else {
        return Verdict::Inconclusive;
    };
    if evidence.users == 0 || (whole <= 0.0 && channel <= 0.0) {
        return Verdict::Inconclusive;
    }
    match evidence.teacher {
        None => Verdict::NoTeacher,
        Some(teacher) if teacher <= 0.0 => Verdict::Inconclusive,
        Some(_) if evidence.content_adds() == Some(false) => judge_silent(evidence),
        Some(_) if evidence.removal_helps() => Verdict::Harms,
        Some(teacher) => judge_channel(evidence, channel, teacher),
    }
}

/// The content adds nothing to its teacher.
fn judge_silent(evidence: &Evidence) -> Verdict {
    if evidence.removal_hurts() {
        Verdict::OnlyTogether
    } else if evidence.too_coarse() {
        Verdict::Inconclusive
    } else {
        Verdict::Noise
    }
}

/// The content carries a signal, as far as anything tells.
fn judge_channel(evidence: &Evidence, channel: f64, teacher: f64) -> Verdict {
    let ratio = channel / teacher;
    let measurable = (teacher - channel).abs() > evidence.resolution(teacher, channel);
    let reached = ratio >= UNDER_USED_BELOW;
    match (measurable, reached) {
        (true, false) => Verdict::UnderUsed,
        (true, true) if ratio > EXCEEDS_ABOVE => Verdict::ExceedsTeacher,
        // Behind by more than the band, but not measurably.
        (false, false) => Verdict::Inconclusive,
        (_, true) if evidence.too_coarse() => Verdict::Inconclusive,
        (_, true) if evidence.removal_is_free() => Verdict::Redundant,
        // A modality that the whole does not measurably miss cannot be called well used.
        (_, true) if evidence.without.is_some() && !evidence.removal_hurts() => Verdict::Inconclusive,
        (_, true) => Verdict::Balanced,
    }
}

#[cfg(test)]
mod tests;
