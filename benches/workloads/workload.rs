use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The length of the windows of [`Workload::W3`].
pub const WINDOW: Duration = Duration::from_secs(60);
/// How long they stay open after their end. No record is later than that.
pub const GRACE: Duration = Duration::from_secs(10);
/// The store of those that have one.
pub const STORE: &str = "totals";
/// What the repartition of [`Workload::W7`] is called.
pub const REPARTITION: &str = "by-memo";

/// What is computed. All of them read the topic [`INPUT`](crate::INPUT) and say something about every record that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// Filter and map: amounts that end in 0 are left out.
    W1,
    /// Count and sum per account, every update written.
    W2,
    /// The same in tumbling windows with grace.
    W3,
    /// A join with a table that has a row for every account.
    W4,
    /// A store read back from its changelog.
    W5,
    /// [`W2`](Workload::W2) as a bounded run: from the start of the process to its exit.
    W6,
    /// Count under another key, through a repartition topic.
    W7,
}

impl Workload {
    /// All, with what they are called on the command line.
    pub const ALL: [(&'static str, Workload); 7] = [
        ("W1", Workload::W1),
        ("W2", Workload::W2),
        ("W3", Workload::W3),
        ("W4", Workload::W4),
        ("W5", Workload::W5),
        ("W6", Workload::W6),
        ("W7", Workload::W7),
    ];

    /// Whether the contender is to end by itself when it has processed what the input held at its start.
    pub fn is_bounded(self) -> bool {
        self == Workload::W6
    }

    /// What it computes, in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Workload::W1 => "filter and map",
            Workload::W2 => "keyed sum, every update",
            Workload::W3 => "tumbling sum, 60 s, grace 10 s",
            Workload::W4 => "stream-table join",
            Workload::W5 => "restore of a store",
            Workload::W6 => "bounded run of the keyed sum",
            Workload::W7 => "rekey through a repartition topic, count",
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Workload::ALL.iter().find(|(_, workload)| workload == self).map_or("?", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(text: &str) -> Result<Workload, String> {
        let found = Workload::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        found.map(|(_, workload)| *workload).ok_or_else(|| format!("{text:?} is no workload: W1 to W7 are"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_what_it_names() {
        for (name, workload) in Workload::ALL {
            assert_eq!((name.to_lowercase().parse(), workload.to_string().as_str()), (Ok(workload), name));
        }
        assert_eq!("W8".parse::<Workload>(), Err(String::from("\"W8\" is no workload: W1 to W7 are")));
    }
}
