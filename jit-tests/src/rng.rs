//! A small seeded generator (SplitMix64; Steele, Lea, Flood: "Fast splittable pseudorandom number
//! generators", 2014). Its sequence is part of the tests: a printed seed must mean the same
//! signatures for ever, which no library promises.

/// The generator.
#[derive(Clone, Debug)]
pub struct Rng(u64);

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    /// A generator for one seed.
    pub const fn new(seed: u64) -> Self {
        Rng(seed)
    }

    /// The `index`th independent generator of a seed: what it yields depends on nothing that was
    /// drawn before, so that one case can be made again alone.
    pub fn stream(seed: u64, index: u64) -> Self {
        Rng(mix(seed.wrapping_add(GAMMA)) ^ mix(index.wrapping_mul(GAMMA)))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True in `percent` of 100 cases.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of the items.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u32) as usize]
    }

    /// An index, each as often as its weight says.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().sum());
        weights
            .iter()
            .position(|&weight| {
                let here = left < weight;
                left = left.saturating_sub(weight);
                here
            })
            .unwrap_or(0)
    }
}

/// The seed of a test run: the number (decimal, or hexadecimal behind `0x`) in `FFI_JIT_SEED`, or
/// else one from the clock. Tests print it.
///
/// # Panics
/// If the variable holds no number: a run with another seed than the one asked for misleads.
pub fn seed_from_environment() -> u64 {
    match std::env::var("FFI_JIT_SEED") {
        Ok(text) => parse_seed(&text).unwrap_or_else(|| panic!("FFI_JIT_SEED={text:?}: a number")),
        Err(_) => std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |elapsed| mix(elapsed.as_nanos() as u64) >> 32),
    }
}

/// A seed as people write it.
pub fn parse_seed(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_never_changes() {
        // The published first outputs of SplitMix64 for the seed 1234567.
        let mut rng = Rng::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| rng.bits()).collect();
        assert_eq!(
            first,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn choices_stay_in_range_and_reach_every_item() {
        let mut rng = Rng::stream(1, 2);
        let mut seen = [0; 4];
        for _ in 0..1000 {
            seen[rng.weighted(&[1, 0, 3, 6])] += 1;
            assert!((5..=7).contains(&rng.between(5, 7)));
        }
        assert!(seen[0] > 0 && seen[1] == 0 && seen[0] < seen[2] && seen[2] < seen[3], "{seen:?}");
    }
}
