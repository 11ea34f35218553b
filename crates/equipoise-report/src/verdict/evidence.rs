//! The numbers that a verdict rests on, and the questions asked of them.

use super::thresholds::{COARSEST_RESOLUTION, CONTENT_GAIN, REMOVAL_LOSS, tolerance};
use crate::audit::{Audit, ModalityAudit, PairedErrors, finite};

/// The finite numbers on one modality, and the questions asked of them.
pub(super) struct Evidence {
    pub(super) users: usize,
    pub(super) whole: Option<f64>,
    pub(super) without: Option<f64>,
    pub(super) channel: Option<f64>,
    pub(super) ids_only: Option<f64>,
    pub(super) teacher: Option<f64>,
    pub(super) teacher_ids_only: Option<f64>,
    /// The same channel of the model trained without balancing.
    pub(super) plain: Option<f64>,
    /// How sure the differences are.
    pub(super) errors: PairedErrors,
}

fn plain_channel(audit: &Audit, modality: &str) -> Option<f64> {
    let channels = &audit.plain.as_ref()?.channels;
    finite(channels.iter().find(|(name, _)| name == modality)?.1)
}

impl Evidence {
    pub(super) fn gather(audit: &Audit, modality: &ModalityAudit) -> Self {
        Self {
            users: audit.evaluated_users,
            whole: finite(audit.whole),
            without: finite(modality.without),
            channel: finite(modality.channel),
            ids_only: audit.ids_only.and_then(finite),
            teacher: modality.teacher.and_then(finite),
            teacher_ids_only: modality.teacher_ids_only.and_then(finite),
            plain: plain_channel(audit, &modality.name),
            errors: modality.errors,
        }
    }

    pub(super) fn ratio(&self) -> Option<f64> {
        let teacher = self.teacher.filter(|&t| t > 0.0)?;
        finite(self.channel? / teacher)
    }

    pub(super) fn content(&self) -> Option<f64> {
        let teacher = self.teacher.filter(|&t| t > 0.0)?;
        finite((teacher - self.teacher_ids_only?) / teacher)
    }

    pub(super) fn removal_loss(&self) -> Option<f64> {
        Some(self.whole? - self.without?)
    }

    /// Whether the whole model measurably loses without the modality.
    pub(super) fn removal_hurts(&self) -> bool {
        let (Some(whole), Some(without)) = (self.whole, self.without) else {
            return false;
        };
        adds(whole, without, REMOVAL_LOSS, self.users, self.errors.removal)
    }

    /// Whether the whole model is measurably better without the modality.
    pub(super) fn removal_helps(&self) -> bool {
        let (Some(whole), Some(without)) = (self.whole, self.without) else {
            return false;
        };
        adds(without, whole, REMOVAL_LOSS, self.users, self.errors.removal)
    }

    /// Whether the best guess is that the whole model loses nothing, measurable or not.
    pub(super) fn removal_is_free(&self) -> bool {
        match (self.removal_loss(), self.whole) {
            (Some(loss), Some(whole)) => loss <= REMOVAL_LOSS * whole,
            _ => false,
        }
    }

    /// Whether the content of the modality carries a signal; `None` when nothing tells.
    pub(super) fn content_adds(&self) -> Option<bool> {
        let teacher = self.teacher?;
        if let Some(ids) = self.teacher_ids_only {
            return Some(adds(teacher, ids, CONTENT_GAIN, self.users, self.errors.content));
        }
        // Second-best evidence, and only against the content: a channel that has all its teacher
        // has, and yet no more than the IDs.
        let (channel, ids) = (self.channel?, self.ids_only?);
        let reaches = teacher - channel <= self.resolution(teacher, channel);
        let silent = !adds(channel, ids, CONTENT_GAIN, self.users, self.errors.ids);
        (reaches && silent && !self.removal_hurts()).then_some(false)
    }

    /// The largest difference between teacher and channel that the users cannot show.
    pub(super) fn resolution(&self, teacher: f64, channel: f64) -> f64 {
        tolerance(teacher, channel, self.users, self.errors.shortfall)
    }

    /// Whether the users are too few to call two values equal.
    pub(super) fn too_coarse(&self) -> bool {
        let teacher = self.teacher.unwrap_or(0.0);
        self.resolution(teacher, teacher) > COARSEST_RESOLUTION * teacher
    }
}

/// Whether `high` exceeds `low` measurably and by at least `share` of itself.
fn adds(high: f64, low: f64, share: f64, users: usize, paired: Option<f64>) -> bool {
    let gain = high - low;
    gain > tolerance(high, low, users, paired) && gain >= share * high
}
