//! Robust weights: the sum of teachers that says most about interactions that none of them has seen.

use crate::arrays::Borrowed;
use crate::errors::data_error;
use equipoise::author::stacking::{self, Gain, HeldOut};
use pyo3::prelude::*;

/// A mean over users and its standard error.
type Worth = (f64, f64);
/// Weights of two teachers of ids, of the silenced teachers and of the contents; what each content is worth; what the sum is worth.
type Found = (Vec<f64>, Vec<f64>, Vec<f64>, Vec<Worth>, Worth);

/// `1 - (2 error / x)^2` where that and `x` are positive, else 0: how far a gain of this standard error can be trusted.
#[pyfunction]
pub(crate) fn shrunken(x: f64, error: f64) -> f64 {
    stacking::shrunken(x, error)
}

/// Mean over users of `a - b`, a metric of each user of two models, and its standard error, infinite of a single user.
#[pyfunction]
pub(crate) fn gain(py: Python<'_>, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<Worth> {
    let (a, b) = (Borrowed::<f64>::of(a, "a")?, Borrowed::<f64>::of(b, "b")?);
    let (users, others) = (a.values().len(), b.values().len());
    if users != others || users == 0 {
        return Err(data_error(py, format!("a metric of {users} users and one of {others}")));
    }
    let gain = Gain::of(a.values(), b.values());
    Ok((gain.mean, gain.error))
}

/// The weights of `components` (a matrix of float64, a row of margins for each), which are two teachers of ids, the teacher of each
/// modality with the modality silenced, and the content of each; what the contents are worth; and what the sum is worth beside the
/// margins `other`. `users` has the user of each margin; those of one user stand together.
#[pyfunction]
pub(crate) fn stack(
    py: Python<'_>,
    components: &Bound<'_, PyAny>,
    users: &Bound<'_, PyAny>,
    other: &Bound<'_, PyAny>,
) -> PyResult<Found> {
    let components = Borrowed::<f64>::of(components, "components")?;
    let (users, other) = (Borrowed::<u32>::of(users, "users")?, Borrowed::<f64>::of(other, "other")?);
    let (rows, triples) = components.matrix(py, "components")?;
    if rows < 4 || rows % 2 != 0 {
        return Err(data_error(py, format!("components: {rows} rows, expected 2 and two of each modality")));
    }
    let lengths = (users.values().len(), other.values().len());
    if triples == 0 || lengths != (triples, triples) {
        let message =
            format!("{triples} margins of components, {} users, {} of the other score", lengths.0, lengths.1);
        return Err(data_error(py, message));
    }
    let (all, users, other) = (components.values(), users.values(), other.values());
    if !all.iter().chain(other).all(|margin| margin.is_finite()) {
        return Err(data_error(py, "a margin is not finite; did a teacher's training diverge?"));
    }
    Ok(py.detach(|| {
        let held_out = HeldOut::new(all.chunks(triples).map(<[f64]>::to_vec).collect(), users);
        let (found, gains) = held_out.stack((rows - 2) / 2);
        let worth = held_out.gain_over(other, &found);
        let of = |gain: &Gain| (gain.mean, gain.error);
        (found.ids.to_vec(), found.silenced, found.content, gains.iter().map(of).collect(), of(&worth))
    }))
}
