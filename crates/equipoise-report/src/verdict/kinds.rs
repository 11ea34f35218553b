//! The verdicts there are.

use serde::{Deserialize, Serialize};

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
    /// The content carries a signal, and the whole model is measurably better without it.
    Harms,
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
            Self::Harms => "harms the whole",
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
            Self::UnderUsed | Self::Harms | Self::Noise | Self::OnlyTogether => Tone::Attention,
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
    /// (teacher − teacher_ids_only) / teacher: the share of the teacher's metric that comes from the content, at most. The
    /// teacher's IDs were trained beside the content; what a model of IDs alone knows, trained with everything silenced, is
    /// more. Negative when the content harms.
    pub content: Option<f64>,
    /// whole − without: what the whole model loses when the modality is silenced. Negative when
    /// the model is better without it.
    pub removal_loss: Option<f64>,
    /// The judgement in a sentence, with the numbers that led to it.
    pub sentence: String,
}
