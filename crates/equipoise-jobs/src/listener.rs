//! Who receives progress events.

/// Receives the progress events of one level of work: the epochs of a training, the trials of a search, the stages of a
/// pipeline. Each level has its own type of event.
///
/// A closure that takes a reference to the event is a listener.
pub trait Listener<E: ?Sized> {
    /// Called for every event, in order.
    fn event(&mut self, event: &E);
}

/// Ignores all events.
pub struct Silent;

impl<E: ?Sized> Listener<E> for Silent {
    fn event(&mut self, _event: &E) {}
}

impl<E: ?Sized, F: FnMut(&E)> Listener<E> for F {
    fn event(&mut self, event: &E) {
        self(event);
    }
}
