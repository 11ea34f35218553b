//! The judgement on each modality: which evidence counts, and how much of it is needed.

use serde::{Deserialize, Serialize};

use crate::audit::Audit;

mod evidence;
mod sentence;

use evidence::Evidence;

/// Differences within this many standard errors are called "no measurable difference".
pub const STANDARD_ERRORS: f64 = 2.0;
/// Below this ratio channel / teacher, a channel that is measurably behind is under-used.
pub const UNDER_USED_BELOW: f64 = 0.95;
/// Above this ratio channel / teacher, a channel that is measurably ahead exceeds its teacher.
pub const EXCEEDS_ABOVE: f64 = 1.05;
/// A teacher must gain at least this share of its metric from its modality's content for the
/// modality to carry a signal.
pub const CONTENT_GAIN: f64 = 0.05;
/// The whole model losing no more than this share without a modality loses nothing.
pub const REMOVAL_LOSS: f64 = 0.01;
/// Where [`STANDARD_ERRORS`] standard errors exceed this share of the teacher's metric, there are
/// too few users to call any two values equal.
pub const COARSEST_RESOLUTION: f64 = 0.25;

/// What the evidence says about one modality.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The channel reaches its teacher, and the whole model would miss it.
    Balanced,
    /// The channel goes measurably beyond its teacher.
    ExceedsTeacher,
    /// The teacher shows a signal that the channel does not reach.
    UnderUsed,
    /// The channel reaches its teacher, but the whole model loses nothing without it: the IDs or
    /// the other modalities already carry what it knows.
    Redundant,
    /// The content adds nothing: not to its teacher, not to the whole model.
    Noise,
    /// The content adds nothing to its teacher, yet the whole model loses without it.
    OnlyTogether,
    /// No teacher was trained, so the gap is unknown.
    NoTeacher,
    /// The difference is smaller than the evaluated users can show, or nothing was measured.
    Inconclusive,
}

/// How a verdict is to be taken.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// As it should be.
    Good,
    /// Something to act on.
    Attention,
    /// Neither.
    Neutral,
}

impl Verdict {
    /// Two or three words for a table cell.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Balanced => "well used",
            Self::ExceedsTeacher => "beyond its teacher",
            Self::UnderUsed => "under-used",
            Self::Redundant => "redundant",
            Self::Noise => "noise",
            Self::OnlyTogether => "only in company",
            Self::NoTeacher => "gap unknown",
            Self::Inconclusive => "not measurable",
        }
    }

    /// How the verdict is to be taken.
    #[must_use]
    pub fn tone(self) -> Tone {
        match self {
            Self::Balanced | Self::ExceedsTeacher => Tone::Good,
            Self::UnderUsed | Self::Noise | Self::OnlyTogether => Tone::Attention,
            Self::Redundant | Self::NoTeacher | Self::Inconclusive => Tone::Neutral,
        }
    }
}

/// The judgement on one modality.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct ModalityVerdict {
    /// Name of the modality.
    pub modality: String,
    /// The judgement.
    pub verdict: Verdict,
    /// channel / teacher, where the teacher found anything.
    pub ratio: Option<f64>,
    /// teacher − channel.
    pub gap: Option<f64>,
    /// (teacher − teacher_ids_only) / teacher: the share of the teacher's metric that comes from
    /// the content. Negative when the content harms.
    pub content: Option<f64>,
    /// whole − without: what the whole model loses when the modality is silenced. Negative when
    /// the model is better without it.
    pub removal_loss: Option<f64>,
    /// The judgement in a sentence, with the numbers that led to it.
    pub sentence: String,
}

/// Upper bound of the standard error of a per-user metric's mean, `sqrt(r (1 - r) / n)`.
///
/// A variable in `[0, 1]` with mean `r` has a variance of at most `r (1 - r)` (Bhatia and Davis,
/// 2000), with equality for hit-or-miss. Two results on the same users are positively correlated,
/// so that comparing their difference with this bound errs on the side of silence. It knows
/// nothing of the spread between seeds. `mean` is clamped to `[0, 1]`; no users give infinity.
#[must_use]
pub fn standard_error(mean: f64, users: usize) -> f64 {
    if users == 0 || !mean.is_finite() {
        return f64::INFINITY;
    }
    let r = mean.clamp(0.0, 1.0);
    (r * (1.0 - r) / users as f64).sqrt()
}

/// The largest difference between `a` and `b` that `users` users cannot show.
pub(crate) fn tolerance(a: f64, b: f64, users: usize) -> f64 {
    // The variance bound falls again beyond one half; the smaller of two errors would overclaim.
    STANDARD_ERRORS * standard_error(a, users).max(standard_error(b, users))
}

/// Judges every modality, in the order of the audit.
///
/// With `g = teacher − teacher_ids_only` (what the content adds), `l = whole − without` (what the
/// whole model loses) and "measurable" meaning beyond [`STANDARD_ERRORS`] standard errors:
///
/// 1. nothing measured → [`Verdict::Inconclusive`]; no teacher → [`Verdict::NoTeacher`];
/// 2. `g` below [`CONTENT_GAIN`] of the teacher or not measurable → [`Verdict::OnlyTogether`] if `l`
///    is measurable and above [`REMOVAL_LOSS`] of the whole, else [`Verdict::Noise`];
/// 3. channel / teacher below [`UNDER_USED_BELOW`] and measurably so → [`Verdict::UnderUsed`];
///    above [`EXCEEDS_ABOVE`] and measurably so → [`Verdict::ExceedsTeacher`];
/// 4. below that band but not measurably so → [`Verdict::Inconclusive`];
/// 5. `l` at most [`REMOVAL_LOSS`] of the whole → [`Verdict::Redundant`], else [`Verdict::Balanced`].
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
    let measurable = (teacher - channel).abs() > tolerance(teacher, channel, evidence.users);
    let reached = ratio >= UNDER_USED_BELOW;
    match (measurable, reached) {
        (true, false) => Verdict::UnderUsed,
        (true, true) if ratio > EXCEEDS_ABOVE => Verdict::ExceedsTeacher,
        // Behind by more than the band, but not measurably.
        (false, false) => Verdict::Inconclusive,
        (_, true) if evidence.too_coarse() => Verdict::Inconclusive,
        (_, true) if evidence.removal_is_free() => Verdict::Redundant,
        (_, true) => Verdict::Balanced,
    }
}

#[cfg(test)]
mod tests;
