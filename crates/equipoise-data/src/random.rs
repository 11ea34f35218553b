//! Named random streams from one seed.
//!
//! Each purpose (`init`, `batches`, `generic`, ...) draws from a stream of its own, so that
//! switching one consumer on or off never shifts the numbers another one sees.

use std::convert::Infallible;

use rand::{Rng, SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The one number from which all randomness of a run follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream called `name`: ChaCha8 keyed with the 32-byte BLAKE3 hash of
    /// `"equipoise" | seed as 8 little-endian bytes | name`.
    ///
    /// ```
    /// use equipoise_data::Seed;
    /// use rand::Rng;
    /// let (mut a, mut b) = (Seed(7).stream("batches"), Seed(7).stream("generic"));
    /// assert_ne!(a.next_u64(), b.next_u64());
    /// assert_eq!(Seed(7).stream("init").next_u64(), Seed(7).stream("init").next_u64());
    /// ```
    pub fn stream(self, name: &str) -> Stream {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"equipoise");
        hasher.update(&self.0.to_le_bytes());
        hasher.update(name.as_bytes());
        Stream { rng: ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()) }
    }

    /// The seed of a part that draws streams of its own, such as one teacher: independent of this
    /// seed's streams and of other parts.
    #[must_use]
    pub fn part(self, name: &str) -> Seed {
        let mut stream = self.stream(&format!("part/{name}"));
        let (low, high) = (stream.below(u32::MAX), stream.below(u32::MAX));
        Seed(u64::from(high) << 32 | u64::from(low))
    }
}

/// A random stream; implements `rand`'s generator traits. A clone continues from the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    rng: ChaCha8Rng,
}

impl Stream {
    /// Where the stream stands, to be kept in a checkpoint.
    pub fn state(&self) -> StreamState {
        StreamState {
            key: StreamKey(self.rng.get_seed()),
            // 2^64 words are 74 exabytes of output: out of reach.
            word: self.rng.get_word_pos() as u64,
        }
    }

    /// A stream that goes on exactly where `state` was taken.
    pub fn restore(state: &StreamState) -> Stream {
        let mut rng = ChaCha8Rng::from_seed(state.key.0);
        rng.set_word_pos(u128::from(state.word));
        Stream { rng }
    }

    /// A uniform integer in `0..bound`, without bias (multiply-and-reject, Lemire 2019).
    ///
    /// Defined here rather than taken from `rand`, so that a new release of that crate cannot
    /// change what a seed means.
    ///
    /// # Panics
    /// If `bound` is 0.
    #[inline]
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "no integer lies below 0");
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let wide = u64::from(self.next_u32()) * u64::from(bound);
            if wide as u32 >= threshold {
                return (wide >> 32) as u32;
            }
        }
    }

    /// A uniform real in `[0, 1)`, a multiple of 2^-53.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.rng.try_next_u32()
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.rng.try_next_u64()
    }

    #[inline]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.rng.try_fill_bytes(bytes)
    }
}

/// Position of a [`Stream`]: serialises as `{"key": 64 hex digits, "word": count}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamState {
    /// Key of the generator.
    pub key: StreamKey,
    /// Number of 32-bit words drawn so far.
    pub word: u64,
}

/// The 32-byte key of a stream; 64 hex digits in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamKey(pub [u8; 32]);

impl Serialize for StreamKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

impl<'de> Deserialize<'de> for StreamKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hash = blake3::Hash::from_hex(&text).map_err(|_| {
            de::Error::custom(format!("the key of a random stream is 64 hex digits, found {text:?}"))
        })?;
        Ok(StreamKey(*hash.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn streams_differ_by_seed_and_by_name() {
        let first = |seed, name| Seed(seed).stream(name).next_u64();
        assert_ne!(first(1, "init"), first(2, "init"));
        assert_ne!(first(1, "init"), first(1, "dropout"));
    }

    #[test]
    fn a_seed_means_the_same_numbers_for_ever() {
        let mut stream = Seed(42).stream("batches");
        let drawn: Vec<u32> = (0..4).map(|_| stream.below(1_000_000)).collect();
        assert_eq!(drawn, GOLDEN);
    }

    const GOLDEN: [u32; 4] = [457_031, 634_864, 486_407, 682_412];

    #[test]
    fn a_broken_key_is_refused_with_what_was_expected() {
        let broken = r#"{"key":"abc","word":3}"#;
        let message =
            serde_json::from_str::<StreamState>(broken).expect_err("three digits are no key").to_string();
        assert!(message.contains("64 hex digits"), "{message}");
    }

    proptest! {
        #[test]
        fn a_restored_stream_continues_bit_for_bit(seed: u64, draws in 0usize..300) {
            let mut stream = Seed(seed).stream("any");
            for _ in 0..draws { stream.next_u32(); }
            let text = serde_json::to_string(&stream.state()).expect("plain data");
            let state = serde_json::from_str(&text).expect("what was written");
            let mut restored = Stream::restore(&state);
            for _ in 0..100 { prop_assert_eq!(stream.next_u32(), restored.next_u32()); }
        }

        #[test]
        fn below_stays_below(seed: u64, bound in 1u32..) {
            let mut stream = Seed(seed).stream("below");
            for _ in 0..20 { prop_assert!(stream.below(bound) < bound); }
        }
    }

    #[test]
    fn below_is_uniform() {
        let mut stream = Seed(3).stream("uniform");
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        // Chi-square with 5 degrees of freedom: 25.7 is the 0.0001 quantile.
        let chi: f64 = counts.iter().map(|&c| (f64::from(c) - 1e4).powi(2) / 1e4).sum();
        assert!(chi < 25.7, "{counts:?}");
    }
}
