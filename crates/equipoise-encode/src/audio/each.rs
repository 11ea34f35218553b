//! What encoders of sounds have in common: a row for each file, or a remark on why there is none.

use std::path::{Path, PathBuf};

use super::sound::SoundFault;
use crate::job::Remark;
use crate::transformer::unit_rows;

/// Gives each file of a batch to `row`, which writes its row and says whether the sound goes on after what was read.
pub(super) fn encode_each(
    batch: &[PathBuf],
    out: &mut [f32],
    width: usize,
    normalise: bool,
    row: impl Fn(&Path, &mut [f32]) -> Result<bool, SoundFault>,
) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for (place, (path, out)) in batch.iter().zip(out.chunks_exact_mut(width)).enumerate() {
        match row(path, out) {
            Ok(goes_on) => {
                if goes_on {
                    remarks.push(Remark::Cut { place });
                }
                if normalise {
                    unit_rows(out, width);
                }
            }
            Err(fault) => remarks.push(Remark::broken_file(place, path, fault)),
        }
    }
    remarks
}
