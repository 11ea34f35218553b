//! Devices by name, chosen at run time.

use burn::tensor::Device;

#[cfg(feature = "vulkan")]
mod vulkan;

/// A device that cannot be had.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum DeviceError {
    /// This build knows no device of that name.
    #[error("unknown device `{name}`: this build has {choices}; choose one with --device")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        choices: String,
    },
    /// The device is known, and the machine does not offer it.
    #[error("device `{name}` cannot be used: {reason}; --device cpu always can")]
    Unavailable {
        /// What was asked for.
        name: String,
        /// What the driver said.
        reason: String,
    },
}

/// The names that this build knows.
///
/// | name | device | build |
/// |---|---|---|
/// | `cpu` | the processor, with the fast bodies of every operation | any |
/// | `vulkan` | the best GPU that Vulkan offers | `--features vulkan` |
/// | `vulkan:N` | its discrete GPU number `N`, from 0 | the same |
/// | `vulkan:integrated`, `vulkan:cpu` | its integrated GPU; a driver that runs on the processor, such as lavapipe | the same |
/// | `cuda`, `cuda:N` | NVIDIA GPU number `N` | `--features cuda` (not tested) |
///
/// With `vulkan` every operation, backbone and balancer was run on lavapipe (Mesa 22.3) and agrees with the processor
/// within the tolerances of `tests/devices.rs` here and in `equipoise-train`; no GPU has been tried. `vulkan-spirv` hands
/// the driver SPIR-V instead of going through WGSL, which allows it more, and crashes the compiler of lavapipe (22.3 and 25.0).
pub fn device_names() -> Vec<&'static str> {
    let mut names = vec!["cpu"];
    if cfg!(feature = "vulkan") {
        names.extend(["vulkan", "vulkan:N", "vulkan:integrated", "vulkan:cpu"]);
    }
    if cfg!(feature = "cuda") {
        names.extend(["cuda", "cuda:N"]);
    }
    names
}

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

fn unknown(name: &str) -> DeviceError {
    let choices = device_names().iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    DeviceError::Unknown { name: name.to_owned(), choices }
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
