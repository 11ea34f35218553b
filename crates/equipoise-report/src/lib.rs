//! The imbalance report: what each modality contributes, in words, numbers and pictures.
//!
//! [`Audit::from_run`] reads an [`Audit`] from run directories. From it come
//!
//! * [`verdicts`]: one judgement per modality, with a sentence that says why;
//! * [`headline`]: a few sentences about the whole run;
//! * [`text_report`]: an aligned table for the terminal;
//! * [`html_report`]: one self-contained page, with charts.
//!
//! and methods of the same names. The four are pure functions: no file is read or written, and nothing can fail. A value that is
//! missing, infinite or not a number is shown as absent and never decides a verdict.
//!
//! # Vocabulary
//!
//! With `M` the set of modalities and `f(S)` the model in which the modalities `S` are silenced
//! (their item features and user preferences replaced by their means):
//!
//! * *whole* is `f({})`;
//! * the *channel* of `m` is `uni(m) = f(M \ {m})`: the IDs and `m` alone;
//! * *without `m`* is `loo(m) = f({m})`;
//! * *IDs alone* is `f(M)`;
//! * the *teacher* of `m` is the same architecture trained with `m` alone;
//! * the *gap* of `m` is teacher − channel, and *reached* is channel / teacher.

mod audit;
mod broken;
#[cfg(feature = "parquet")]
pub mod compare;
mod fusion;
mod gather;
mod headline;
mod html;
mod outputs;
mod paired;
mod quantities;
mod text;
mod verdict;
pub mod words;

/// What pages of other reports are made of.
pub mod page {
    pub use crate::html::document::{breakless, colour, document, prose, section};
    pub use crate::html::lines::{Line, Panel, grid, points};
    pub use crate::html::picture::picture;
    pub use crate::html::scale::{Scale, at};
}

pub use audit::{
    Audit, AuditEpoch, IdsEpoch, MissingAudit, ModalityAudit, PairedErrors, PlainRun, TeacherCurve,
};
pub use headline::headline;
pub use html::{html_report, svg_report};
pub use text::text_report;
pub use verdict::{
    COARSEST_RESOLUTION, CONTENT_GAIN, EXCEEDS_ABOVE, ModalityVerdict, REMOVAL_LOSS, STANDARD_ERRORS, Tone,
    UNDER_USED_BELOW, Verdict, standard_error, verdicts,
};
