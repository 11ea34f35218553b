//! What a unit is known by.

/// A hash of everything that decides the result of a unit: its settings and its inputs.
pub struct Key(blake3::Hasher);

impl Key {
    /// Starts with the kind of work and its version: raise the version when equal settings come to mean something else.
    pub fn new(kind: &str) -> Key {
        let mut key = Key(blake3::Hasher::new());
        key.add(kind.as_bytes());
        key
    }

    /// Adds bytes, set off from those before and after: `ab`, `c` differs from `a`, `bc`.
    pub fn add(&mut self, bytes: &[u8]) -> &mut Key {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_knows_where_one_part_ends() {
        let of = |parts: &[&str]| {
            let mut key = Key::new("text");
            parts.iter().for_each(|part| {
                key.add(part.as_bytes());
            });
            key.hex()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
    }
}
