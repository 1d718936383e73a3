//! Random numbers by counter: every row has a stream of its own, so that neither the number
//! of threads nor the size of a file shows in what is generated.

/// SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub(super) struct Stream(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Stream {
    /// The stream of that seed and place: two places have streams that do not resemble each other.
    pub(super) fn new(seed: u64, place: &[u64]) -> Self {
        Self(place.iter().fold(mixed(seed ^ GOLDEN), |at, part| mixed(at.wrapping_add(GOLDEN) ^ mixed(*part))))
    }

    /// 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mixed(self.0)
    }

    /// Uniform, at least 0 and below 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Two standard normal numbers, independent of each other (Box and Muller 1958).
    pub(super) fn normals(&mut self) -> (f64, f64) {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * self.unit()).sin_cos();
        (radius * cosine, radius * sine)
    }

    /// True with that probability.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
}

/// The place of the first cumulated value that is above `at`, or the last one.
pub(super) fn drawn(cumulated: &[f64], at: f64) -> usize {
    cumulated.partition_point(|c| *c <= at).min(cumulated.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_as_random_as_they_should_be() {
        let n = 200_000;
        let (mut sum, mut square, mut beside) = (0.0, 0.0, 0.0);
        for row in 0..n {
            let (a, b) = Stream::new(7, &[1, row]).normals();
            sum += a;
            square += a * a;
            beside += a * b;
        }
        let mean = |total: f64| total / n as f64;
        assert!(mean(sum).abs() < 0.01 && (mean(square) - 1.0).abs() < 0.02 && mean(beside).abs() < 0.01);
        let units: Vec<f64> = (0..n).map(|row| Stream::new(8, &[1, row]).unit()).collect();
        assert!((units.iter().sum::<f64>() / n as f64 - 0.5).abs() < 0.005);
        assert!(units.iter().all(|u| (0.0..1.0).contains(u)));
        assert_ne!(Stream::new(7, &[1, 2]).bits(), Stream::new(7, &[2, 1]).bits());
        assert_ne!(Stream::new(7, &[0]).bits(), Stream::new(7, &[0, 0]).bits());
    }

    #[test]
    fn the_generator_is_the_published_one() {
        // Its first three values from state 0, of the authors' program.
        let mut stream = Stream(0);
        let values = [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f];
        assert_eq!(values, [stream.bits(), stream.bits(), stream.bits()]);
    }

    #[test]
    fn draws_by_share() {
        assert_eq!([0.0, 0.24, 0.25, 0.99, 1.0].map(|at| drawn(&[0.25, 0.5, 1.0], at)), [0, 0, 1, 2, 2]);
    }
}
