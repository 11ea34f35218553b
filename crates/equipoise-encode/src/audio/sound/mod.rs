//! Sounds: files in, one channel of 16,000 samples a second out, piece by piece.

mod beginning;
mod decode;
mod fault;
mod resample;
#[cfg(test)]
mod tests;

use std::path::Path;

use decode::decode;
pub(super) use fault::SoundFault;
use resample::Resampler;

/// Samples a second of every sound that is encoded.
pub(super) const RATE: u32 = 16_000;

/// Gives a file's sound, up to `seconds` of it, to `each` in pieces: the mean of its channels, full scale being 1. Memory does not
/// grow with the length of the file. Returns whether the file goes on after that.
///
/// # Errors
/// Whatever makes the sound unusable; what was given until then is to be thrown away.
pub(super) fn listen(path: &Path, seconds: u32, each: &mut dyn FnMut(&[f32])) -> Result<bool, SoundFault> {
    let mut resampler: Option<Resampler> = None;
    let goes_on = decode(path, seconds, &mut |rate, samples| {
        resampler.get_or_insert_with(|| Resampler::new(rate, RATE)).push(samples, each);
    })?;
    if let Some(resampler) = resampler {
        resampler.finish(each);
    }
    Ok(goes_on)
}
