//! Convolutional networks. Values of a picture lie pixel after pixel, each with all its channels, so that a convolution is a
//! linear map of rows.

mod conv;
pub(super) mod convnext;
mod depthwise;
mod grid;
mod network;
pub(super) mod resnet;
#[cfg(test)]
mod tests;

/// Refuses stages that no model has: they would be asked of the memory.
///
/// # Errors
/// What is wrong, without the name of the file.
fn check_stages(hidden_sizes: &[usize], depths: &[usize]) -> Result<(), String> {
    let (sizes, stages) = (hidden_sizes.len(), depths.len());
    if sizes == 0 || sizes > 16 || sizes != stages {
        let expected = "expected equally many, 1 to 16";
        return Err(format!("hidden_sizes has {sizes} entries and depths {stages}: {expected}"));
    }
    if let Some(size) = hidden_sizes.iter().find(|size| !(4..=16_384).contains(*size)) {
        return Err(format!("hidden_sizes has {size}: expected 4 to 16384"));
    }
    match depths.iter().find(|depth| !(1..=1_024).contains(*depth)) {
        Some(depth) => Err(format!("depths has {depth}: expected 1 to 1024")),
        None => Ok(()),
    }
}
