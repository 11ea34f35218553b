//! GPUs through Vulkan.

use super::names::{DeviceError, unknown};
use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::{Device, DeviceKind};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Devices that were made: the runtime makes each once in the life of a program.
static MADE: Mutex<Option<HashMap<String, Device>>> = Mutex::new(None);

/// The device `name`, which is `vulkan` or `vulkan:which`.
pub(super) fn device(name: &str, which: Option<&str>) -> Result<Device, DeviceError> {
    let kind = match which {
        None => DeviceKind::DefaultDevice,
        Some("integrated") => DeviceKind::IntegratedGpu(0),
        Some("cpu") => DeviceKind::Cpu,
        Some(number) => DeviceKind::DiscreteGpu(number.parse().map_err(|_| unknown(name))?),
    };
    // A panic while the map was held left it whole: it only ever gains entries.
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = made.get_or_insert_with(HashMap::new);
    if let Some(device) = made.get(name) {
        return Ok(device.clone());
    }
    let options = Device::wgpu_options().graphics_api(WgpuBackend::Vulkan).device_kind(kind);
    let device = options
        .init()
        .map_err(|e| DeviceError::Unavailable { name: name.to_owned(), reason: e.to_string() })?;
    made.insert(name.to_owned(), device.clone());
    Ok(device)
}
