//! What to try next.

/// Where the demo ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// On the log inside the process.
    Embedded,
    /// On Kafka.
    Kafka {
        /// Its address.
        bootstrap: &'a str,
    },
}

impl Place<'_> {
    pub(super) fn guarantee(self) -> &'static str {
        match self {
            Place::Embedded => "exactly once, embedded",
            Place::Kafka { .. } => "exactly once, on Kafka",
        }
    }
}

pub(super) fn lines(place: Place<'_>) -> Vec<String> {
    let mut tries = match place {
        Place::Embedded => vec![("make demo-kafka".to_owned(), "the same on a real Kafka")],
        Place::Kafka { bootstrap } => {
            vec![(format!("flights run --bootstrap {bootstrap}"), "carry on where it stopped; start two, and kill one")]
        }
    };
    tries.extend([
        ("flights topology".to_owned(), "what runs, for a Kafka Streams visualiser"),
        ("apps/flights/src/topology.rs".to_owned(), "how little it takes to write it"),
    ]);
    let width = tries.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
    let mut lines = vec!["WHAT NEXT".to_owned()];
    lines.extend(tries.iter().map(|(what, why)| format!(" {what:width$}   {why}")));
    lines
}
