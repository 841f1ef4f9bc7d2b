//! What stage 1 has written of the time that it took: `/run/runit/boot.times`, lines `NAME SECONDS`.

use anyhow::{Context, Result, ensure};

/// All in seconds.
#[derive(Debug, PartialEq)]
pub struct Times {
    /// Of each part, in their order.
    pub parts: Vec<(String, f64)>,
    /// What the stage and all that it started had of the processor, by the guest's account.
    pub processor: f64,
    /// From the start of the stage to its end, by the guest's clock.
    pub whole: f64,
}

impl Times {
    /// # Errors
    /// The text is not in the format, or nothing took any time.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = text
            .lines()
            .map(|line| {
                let (name, seconds) = line.split_once(' ').with_context(|| format!("not a time: {line:?}"))?;
                Ok((name.to_owned(), seconds.parse().with_context(|| format!("not a time: {line:?}"))?))
            })
            .collect::<Result<Vec<(String, f64)>>>()?;
        let mut take = |wanted: &str| {
            let (name, seconds) = parts.pop().with_context(|| format!("no {wanted}"))?;
            ensure!(name == wanted && seconds > 0.0, "wanted {wanted}, got {name} {seconds}");
            Ok(seconds)
        };
        let whole = take("stage-1")?;
        let processor = take("stage-1-processor")?;
        Ok(Self { parts, processor, whole })
    }

    /// The slowest parts, and the stage before them, in words.
    pub fn show(&self, most: usize) -> String {
        let mut parts = self.parts.clone();
        parts.sort_by(|one, other| other.1.total_cmp(&one.1));
        let parts: Vec<String> = parts.iter().take(most).map(|(name, time)| format!("{name} {time:.2}")).collect();
        format!("stage 1 took {:.2} s, {:.2} s of the processor: {}", self.whole, self.processor, parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_names_and_seconds() {
        let times = Times::parse("05-a 0.05\n10-b 0.20\nstage-1-processor 0.31\nstage-1 0.40\n").expect("times");

        assert_eq!((times.processor, times.whole), (0.31, 0.4));
        assert_eq!(times.show(1), "stage 1 took 0.40 s, 0.31 s of the processor: 10-b 0.20");
        for text in ["", "05-a\n", "stage-1 long\n", "05-a 0.05\nstage-1 0.40\n", "stage-1-processor 0.31\n"] {
            assert!(Times::parse(text).is_err(), "{text:?}");
        }
    }
}
