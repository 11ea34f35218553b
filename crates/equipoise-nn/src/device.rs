//! Devices by name, chosen at run time.

use burn::tensor::Device;

/// A device that this build does not have.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("unknown device `{0}`: this build has `cpu`; choose it with --device cpu")]
pub struct DeviceError(String);

/// The device of that name: `cpu`.
///
/// # Errors
/// If this build has no such device; the message names those it has.
pub fn device(name: &str) -> Result<Device, DeviceError> {
    match name {
        "cpu" => Ok(Device::flex()),
        other => Err(DeviceError(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_unknown_device_is_refused_with_the_choices() {
        assert!(super::device("cpu").is_ok());
        assert!(super::device("tpu").unwrap_err().to_string().contains("`cpu`"));
    }
}
