//! What a balancer keeps from one step to the next, as a checkpoint holds it.

use equipoise_data::{Stream, StreamState};
use std::collections::BTreeMap;

/// Numbers and random streams by name: all that the steps to come depend on, beside settings and [`Setup`](crate::Setup),
/// from which the balancer is built again. Numbers are kept to the last bit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BalancerState {
    numbers: BTreeMap<String, Vec<f64>>,
    streams: BTreeMap<String, StreamState>,
}

/// Why a balancer cannot go on from a state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Something that the balancer keeps is not there.
    #[error("`{0}` is missing from the state of the balancer")]
    Missing(String),
    /// Another number of numbers than the balancer keeps.
    #[error("`{name}` holds {found} numbers, expected {expected}")]
    Count {
        /// Their name.
        name: String,
        /// How many there are.
        found: usize,
        /// How many the balancer keeps.
        expected: usize,
    },
    /// A state for a balancer that says that it has none.
    #[error("`{0}` is the state of another balancer: this one keeps nothing")]
    Unknown(String),
}

impl BalancerState {
    /// The same with numbers more. A float32 number and an integer up to 2^53 keep their value.
    #[must_use]
    pub fn with(mut self, name: &str, numbers: impl IntoIterator<Item = f64>) -> BalancerState {
        self.numbers.insert(name.to_owned(), numbers.into_iter().collect());
        self
    }

    /// The same with a random stream more, where it stands.
    #[must_use]
    pub fn with_stream(mut self, name: &str, stream: &Stream) -> BalancerState {
        self.streams.insert(name.to_owned(), stream.state());
        self
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.streams.is_empty()
    }

    /// Numbers of that name, if there are any.
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.numbers.get(name).map(Vec::as_slice)
    }

    /// So many numbers of that name.
    ///
    /// # Errors
    /// If they are missing, or are not as many.
    pub fn numbers(&self, name: &str, expected: usize) -> Result<&[f64], StateError> {
        let numbers = self.get(name).ok_or_else(|| StateError::Missing(name.to_owned()))?;
        if numbers.len() != expected {
            return Err(StateError::Count { name: name.to_owned(), found: numbers.len(), expected });
        }
        Ok(numbers)
    }

    /// The one number of that name.
    ///
    /// # Errors
    /// If it is missing, or there are several.
    pub fn number(&self, name: &str) -> Result<f64, StateError> {
        Ok(self.numbers(name, 1)?[0])
    }

    /// The stream of that name, going on where it stood.
    ///
    /// # Errors
    /// If it is missing.
    pub fn stream(&self, name: &str) -> Result<Stream, StateError> {
        let state = self.streams.get(name).ok_or_else(|| StateError::Missing(name.to_owned()))?;
        Ok(Stream::restore(state))
    }

    /// For a balancer that keeps nothing.
    ///
    /// # Errors
    /// If there is something in it.
    pub fn nothing(&self) -> Result<(), StateError> {
        match self.numbers.keys().chain(self.streams.keys()).next() {
            Some(name) => Err(StateError::Unknown(name.clone())),
            None => Ok(()),
        }
    }

    /// Its numbers by name and its streams by name, for a file.
    pub fn parts(&self) -> (&BTreeMap<String, Vec<f64>>, &BTreeMap<String, StreamState>) {
        (&self.numbers, &self.streams)
    }

    /// The state of which [`parts`](Self::parts) gave these.
    pub fn from_parts(
        numbers: BTreeMap<String, Vec<f64>>,
        streams: BTreeMap<String, StreamState>,
    ) -> BalancerState {
        BalancerState { numbers, streams }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_data::Seed;

    #[test]
    fn what_was_kept_is_found_by_name_and_number() {
        let mut stream = Seed(1).stream("noise");
        stream.below(7);
        let state = BalancerState::default().with("weights", [0.1, 0.2]).with_stream("noise", &stream);
        assert_eq!(state.numbers("weights", 2), Ok(&[0.1, 0.2][..]));
        assert_eq!(state.stream("noise").unwrap().below(1000), stream.below(1000));
        assert_eq!(state.number("tau"), Err(StateError::Missing("tau".into())));
        let count = StateError::Count { name: "weights".into(), found: 2, expected: 3 };
        assert_eq!(state.numbers("weights", 3), Err(count));
        assert!(state.nothing().is_err() && BalancerState::default().nothing().is_ok());
        let (numbers, streams) = state.parts();
        assert_eq!(BalancerState::from_parts(numbers.clone(), streams.clone()), state);
    }
}
