//! What others derive from a value and keep with it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// One thing per type, made when it is first asked for, and gone with the value that carries it: copies of
/// constants on a device, say, which the crate of the value knows nothing of.
///
/// It is no part of the value: all are equal, and a clone starts empty.
#[derive(Default)]
pub struct Attached(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Attached {
    /// The thing of type `T`.
    pub fn get<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        // A panic while the map was held left it whole: it only ever gains entries.
        let mut things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let thing = things.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        thing.clone().downcast().expect("the entry of a type holds that type")
    }
}

impl Clone for Attached {
    fn clone(&self) -> Attached {
        Attached::default()
    }
}

impl PartialEq for Attached {
    fn eq(&self, _: &Attached) -> bool {
        true
    }
}

impl Eq for Attached {}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attached")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn there_is_one_thing_per_type_and_clones_start_empty() {
        let attached = Attached::default();
        attached.get::<AtomicU32>().store(7, Ordering::Relaxed);
        assert_eq!(attached.get::<AtomicU32>().load(Ordering::Relaxed), 7);
        assert_eq!(*attached.get::<String>(), "");
        assert_eq!(attached.clone().get::<AtomicU32>().load(Ordering::Relaxed), 0);
    }
}
