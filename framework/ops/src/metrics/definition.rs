/// One metric as its readers need to know it.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// The full name.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// What it says.
    pub help: &'static str,
    /// Its labels, in order. Every metric except the `process_` ones has the label `app` besides.
    pub labels: &'static [Label],
}

/// One label of a metric.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// The label's name.
    pub name: &'static str,
    /// What its values are.
    pub meaning: &'static str,
}

/// How a metric moves.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Only up, from zero at each start.
    Counter,
    /// Up and down.
    Gauge,
    /// Counts by size, in buckets with these upper bounds.
    Histogram(&'static [f64]),
}

impl Kind {
    /// Prometheus' word for it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        }
    }
}
