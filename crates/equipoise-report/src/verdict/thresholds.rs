//! How large a difference must be.

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

/// Upper bound of the standard error of a per-user metric's mean, `sqrt(r (1 - r) / n)`.
///
/// A variable in `[0, 1]` with mean `r` has a variance of at most `r (1 - r)` (Bhatia and Davis,
/// 2000), with equality for hit-or-miss. It knows nothing of the spread between seeds. `mean` is
/// clamped to `[0, 1]`; no users give infinity.
#[must_use]
pub fn standard_error(mean: f64, users: usize) -> f64 {
    if users == 0 || !mean.is_finite() {
        return f64::INFINITY;
    }
    let r = mean.clamp(0.0, 1.0);
    (r * (1.0 - r) / users as f64).sqrt()
}

/// The largest difference between `a` and `b` that `users` users cannot show: [`STANDARD_ERRORS`] of the difference.
///
/// `paired` is the standard error of the difference over the same users, where it is known. Without it the variances of
/// both are added, `sqrt(se(a)^2 + se(b)^2)`. That errs on the side of silence wherever two results on the same users are
/// not negatively correlated. (The larger error alone would do so only from a correlation of one half on, and does not hold
/// for channels that serve different users.)
pub(crate) fn tolerance(a: f64, b: f64, users: usize, paired: Option<f64>) -> f64 {
    let bound = || standard_error(a, users).hypot(standard_error(b, users));
    STANDARD_ERRORS * paired.filter(|error| error.is_finite()).unwrap_or_else(bound)
}
