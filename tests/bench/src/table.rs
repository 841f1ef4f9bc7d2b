//! The rows of the result: for people as a table, for programs as one line each.

use std::fmt::Write as _;

use crate::statistics::Samples;

/// One measured value and how far its samples lie apart.
#[derive(Clone, Copy)]
pub struct Value {
    /// What is told, and judged.
    pub value: f64,
    /// Between these lies nearly every sample.
    pub spread: Option<(f64, f64)>,
}

impl Value {
    /// A value without spread.
    pub fn exact(value: f64) -> Self {
        Self { value, spread: None }
    }

    /// The median; nine in ten samples lie within the spread.
    pub fn median(samples: &Samples) -> Self {
        Self { value: samples.median(), spread: Some((samples.quantile(0.05), samples.quantile(0.95))) }
    }

    /// The mean, with the least and the most.
    pub fn mean(samples: &Samples) -> Self {
        Self { value: samples.mean(), spread: Some((samples.least(), samples.most())) }
    }

    /// The most, with the least.
    pub fn most(samples: &Samples) -> Self {
        Self { value: samples.most(), spread: Some((samples.least(), samples.most())) }
    }

    fn text(&self) -> String {
        let value = number(self.value);
        self.spread.map_or_else(|| value.clone(), |(low, high)| format!("{value} ({}..{})", number(low), number(high)))
    }
}

/// What our value must be.
#[derive(Clone, Copy)]
pub enum Asked {
    /// This or less.
    AtMost(f64),
    /// Less than this.
    Below(f64),
    /// This or more.
    AtLeast(f64),
    /// Anything: the row tells more about another one.
    Nothing,
}

impl Asked {
    fn is_reached(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::Below(limit) => value < limit,
            Self::AtLeast(limit) => value >= limit,
            Self::Nothing => true,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtMost(limit) => format!("<={}", number(limit)),
            Self::Below(limit) => format!("<{}", number(limit)),
            Self::AtLeast(limit) => format!(">={}", number(limit)),
            Self::Nothing => "-".to_owned(),
        }
    }
}

/// One figure.
pub struct Row {
    /// One word.
    pub name: &'static str,
    /// What it is, for people.
    pub what: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Our programs.
    pub ours: Value,
    /// Those of Debian's package.
    pub debian: Value,
    /// `s6-log`, which some are held against too.
    pub s6: Option<Value>,
    /// The same with nothing but the kernel.
    pub bare: Option<Value>,
    /// What ours must be.
    pub asked: Asked,
}

impl Row {
    /// Whether ours is what it must be.
    pub fn is_reached(&self) -> bool {
        self.asked.is_reached(self.ours.value)
    }

    fn verdict(&self) -> &'static str {
        match self.asked {
            Asked::Nothing => "-",
            _ if self.is_reached() => "ok",
            _ => "not ok",
        }
    }

    /// For programs.
    pub fn line(&self) -> String {
        let optional = |value: Option<Value>| value.map_or_else(|| "-".to_owned(), |value| number(value.value));
        format!(
            "# figure {} ours={} debian={} s6={} bare={} asked={} unit={}",
            self.name,
            number(self.ours.value),
            number(self.debian.value),
            optional(self.s6),
            optional(self.bare),
            self.asked.text(),
            self.unit,
        )
    }
}

fn number(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The table for people.
pub fn render(rows: &[Row]) -> String {
    let head = ["figure", "ours", "Debian's", "s6-log", "bare", "asked", ""].map(str::to_owned);
    let mut lines = vec![head];
    lines.extend(rows.iter().map(|row| {
        let [s6, bare] = [row.s6, row.bare].map(|value| value.as_ref().map_or_else(|| "-".to_owned(), Value::text));
        let what = format!("{} [{}]", row.what, row.unit);
        [what, row.ours.text(), row.debian.text(), s6, bare, row.asked.text(), row.verdict().to_owned()]
    }));
    let widths: Vec<usize> =
        (0..7).map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::from("\n");
    for line in &lines {
        for (cell, width) in line.iter().zip(&widths) {
            let _infallible = write!(text, "{cell:width$}  ");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text.push_str(
        "\nTimes and rates are medians; nine in ten lie between those in parentheses. All is of one run, in turn.\n",
    );
    text
}
