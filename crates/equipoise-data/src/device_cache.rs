//! Copies of a value's constants on devices, kept with the value.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// One entry per type, made when it is first asked for and dropped with the value that carries the cache. The entries are
/// copies of constants on a device, of which the crate of the value knows nothing.
///
/// The cache is no part of the value: all caches are equal, and a clone starts empty.
#[derive(Default)]
pub struct DeviceCache(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl DeviceCache {
    /// The entry of type `T`.
    pub fn get<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        // A panic while the map was held left it whole: it only ever gains entries.
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        entry.clone().downcast().expect("the entry of a type holds that type")
    }
}

impl Clone for DeviceCache {
    fn clone(&self) -> DeviceCache {
        DeviceCache::default()
    }
}

impl PartialEq for DeviceCache {
    fn eq(&self, _: &DeviceCache) -> bool {
        true
    }
}

impl Eq for DeviceCache {}

impl fmt::Debug for DeviceCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceCache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn there_is_one_entry_per_type_and_clones_start_empty() {
        let device_cache = DeviceCache::default();
        device_cache.get::<AtomicU32>().store(7, Ordering::Relaxed);
        assert_eq!(device_cache.get::<AtomicU32>().load(Ordering::Relaxed), 7);
        assert_eq!(*device_cache.get::<String>(), "");
        assert_eq!(device_cache.clone().get::<AtomicU32>().load(Ordering::Relaxed), 0);
    }
}
