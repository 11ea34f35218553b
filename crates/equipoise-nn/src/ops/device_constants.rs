//! Constants that stay on a device: features, the ends of edges, the weights of a matrix. They are copied there when an
//! operation first needs them, and are dropped with their owner.

use super::plain::{indices, values};
use burn::backend::Backend;
use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use equipoise_data::{DeviceCache, Features};
use std::sync::{Mutex, PoisonError};

/// The constants of one owner on the devices of a backend, by name.
struct DeviceConstants<B: Backend>(Mutex<Vec<Entry<B>>>);

struct Entry<B: Backend> {
    name: String,
    device: Device<B>,
    constant: Constant<B>,
}

enum Constant<B: Backend> {
    Values(FloatTensor<B>),
    Indices(IntTensor<B>),
}

impl<B: Backend> Default for DeviceConstants<B> {
    fn default() -> Self {
        DeviceConstants(Mutex::default())
    }
}

impl<B: Backend> Clone for Constant<B> {
    fn clone(&self) -> Self {
        match self {
            Constant::Values(tensor) => Constant::Values(tensor.clone()),
            Constant::Indices(tensor) => Constant::Indices(tensor.clone()),
        }
    }
}

fn constant<B: Backend>(
    owner: &DeviceCache,
    name: &str,
    device: &Device<B>,
    make: impl FnOnce() -> Constant<B>,
) -> Constant<B> {
    let constants = owner.get::<DeviceConstants<B>>();
    // A panic while the list was held left it whole: it only ever gains entries.
    let mut entries = constants.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(entry) = entries.iter().find(|e| e.name == name && e.device == *device) {
        return entry.constant.clone();
    }
    let constant = make();
    entries.push(Entry { name: name.to_owned(), device: device.clone(), constant: constant.clone() });
    constant
}

/// Row numbers that `owner` keeps under `name`, which belongs to row numbers alone.
pub fn constant_indices<B: Backend>(
    owner: &DeviceCache,
    name: &str,
    device: &Device<B>,
    make: impl FnOnce() -> Vec<u32>,
) -> IntTensor<B> {
    match constant::<B>(owner, name, device, || Constant::Indices(indices::<B>(&make(), device))) {
        Constant::Indices(tensor) => tensor,
        Constant::Values(_) => unreachable!("{name} names row numbers"),
    }
}

/// A table that `owner` keeps under `name`, which belongs to tables alone.
pub fn constant_table<B: Backend>(
    owner: &DeviceCache,
    name: &str,
    device: &Device<B>,
    shape: [usize; 2],
    make: impl FnOnce() -> Vec<f32>,
) -> FloatTensor<B> {
    match constant::<B>(owner, name, device, || Constant::Values(values::<B>(make(), shape, device))) {
        Constant::Values(tensor) => tensor,
        Constant::Indices(_) => unreachable!("{name} names a table"),
    }
}

/// The whole feature matrix.
pub fn constant_features<B: Backend>(features: &Features, device: &Device<B>) -> FloatTensor<B> {
    let shape = [features.rows(), features.width()];
    constant_table::<B>(features.device_cache(), "features", device, shape, || features.values().into_owned())
}
