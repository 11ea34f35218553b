//! Devices by name, chosen at run time.

mod names;
#[cfg(feature = "vulkan")]
mod vulkan;

use burn::tensor::Device;
use names::unknown;
pub use names::{DeviceError, device_names};

/// The device of that name; see [`device_names`].
///
/// # Errors
/// If this build has no such device, or the machine does not offer it; the message says what can be chosen.
pub fn device(name: &str) -> Result<Device, DeviceError> {
    match split(name) {
        ("cpu", None) => Ok(Device::flex()),
        #[cfg(feature = "vulkan")]
        ("vulkan", which) => vulkan::device(name, which),
        #[cfg(feature = "cuda")]
        ("cuda", None) => Ok(Device::cuda(0)),
        #[cfg(feature = "cuda")]
        ("cuda", Some(number)) => number.parse::<usize>().map(Device::cuda).map_err(|_| unknown(name)),
        _ => Err(unknown(name)),
    }
}

/// `vulkan:1` is `vulkan` and `1`.
fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once(':') {
        Some((kind, which)) => (kind, Some(which)),
        None => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_device_is_refused_with_the_choices() {
        assert!(device("cpu").is_ok());
        for name in ["tpu", "cpu:1", "vulkan:first", "cuda:first", ""] {
            let message = device(name).unwrap_err().to_string();
            assert!(message.contains("`cpu`") && message.contains(&format!("`{name}`")), "{message}");
        }
    }
}
