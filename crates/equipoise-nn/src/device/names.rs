//! The names of devices, and what is said of a name that cannot be used.

/// A device that cannot be used.
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
/// within the tolerances of `tests/all/devices.rs` here and in `equipoise-train`; no GPU has been tried. `vulkan-spirv` hands
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

/// The error for a name that this build does not know.
pub(super) fn unknown(name: &str) -> DeviceError {
    let choices = device_names().iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    DeviceError::Unknown { name: name.to_owned(), choices }
}
