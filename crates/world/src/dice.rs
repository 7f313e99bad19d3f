//! Dice of our own, so that a seed means the same story on every machine and version.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as the seed has it.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number of `0..sides`; zero for a die without sides.
    pub fn roll(&mut self, sides: u32) -> u32 {
        (((self.next() >> 32) * u64::from(sides)) >> 32) as u32
    }

    /// Once in so many times.
    pub fn once_in(&mut self, times: u32) -> bool {
        self.roll(times) == 0
    }

    /// One of them, in proportion to their weights.
    pub fn weighted<T: Copy>(&mut self, table: &[(u32, T)]) -> T {
        let mut left = self.roll(table.iter().map(|(weight, _)| weight).sum());
        for (weight, thing) in table {
            if left < *weight {
                return *thing;
            }
            left -= weight;
        }
        table[0].1
    }
}
