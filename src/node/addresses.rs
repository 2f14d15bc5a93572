//! Sets and maps whose keys are addresses, or other numbers that nobody outside chooses.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A set of addresses.
pub type Addresses = HashSet<usize, BuildHasherDefault<AddressHasher>>;

/// A map from addresses.
pub type AddressMap<V> = HashMap<usize, V, BuildHasherDefault<AddressHasher>>;

/// Hashes an address by a multiplication (Fibonacci hashing): addresses differ in their middle bits,
/// a table looks at the lowest and highest.
#[derive(Default)]
pub struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_usize(usize::from(byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        let mixed = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::BuildHasher;

    #[test]
    fn neighbouring_blocks_differ_in_the_bits_that_tables_use() {
        let hasher = BuildHasherDefault::<AddressHasher>::default();
        let hashes: Vec<u64> =
            (0..1024_usize).map(|i| hasher.hash_one(0x5555_0000 + 32 * i)).collect();
        let distinct = |bits: fn(u64) -> u64| {
            hashes.iter().map(|&hash| bits(hash)).collect::<std::collections::HashSet<_>>().len()
        };
        assert!(distinct(|hash| hash & 1023) > 512);
        assert_eq!(distinct(|hash| hash >> 57), 128);
    }
}
