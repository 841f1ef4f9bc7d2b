//! What is told of many measured values.

use std::time::Duration;

/// Measured values, in order.
pub struct Samples(Vec<f64>);

impl Samples {
    /// Values of any unit.
    pub fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// Times, as milliseconds.
    pub fn milliseconds(times: impl IntoIterator<Item = Duration>) -> Self {
        Self::new(times.into_iter().map(|time| time.as_secs_f64() * 1e3).collect())
    }

    /// The value that a share of all does not exceed (nearest rank).
    pub fn quantile(&self, share: f64) -> f64 {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    /// The value in the middle.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The sum divided by the number.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The smallest.
    pub fn least(&self) -> f64 {
        self.quantile(0.0)
    }

    /// The largest.
    pub fn most(&self) -> f64 {
        self.quantile(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let samples = Samples::new((1..=200).rev().map(f64::from).collect());
        assert_eq!(samples.median(), 100.0);
        assert_eq!(samples.quantile(0.99), 198.0);
        assert_eq!(samples.mean(), 100.5);
        assert_eq!((samples.least(), samples.most()), (1.0, 200.0));
    }

    #[test]
    fn one_value_is_every_quantile() {
        let samples = Samples::milliseconds([Duration::from_micros(1500)]);
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| samples.quantile(share)), [1.5; 4]);
    }
}
