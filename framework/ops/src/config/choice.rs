use headwater_runtime::Guarantee;

use super::text::Text;

/// How the group shares out partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupProtocol {
    /// The new protocol where the broker has it, else the classic one.
    Auto,
    /// KIP-848: the broker decides.
    Consumer,
    /// The members decide among themselves.
    Classic,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Text for GroupProtocol {
    fn parse(text: &str) -> Result<GroupProtocol, String> {
        pick(text, &[("auto", GroupProtocol::Auto), ("consumer", GroupProtocol::Consumer), ("classic", GroupProtocol::Classic)])
    }
    fn write(&self) -> String {
        String::from(match self {
            GroupProtocol::Auto => "auto",
            GroupProtocol::Consumer => "consumer",
            GroupProtocol::Classic => "classic",
        })
    }
}

impl Text for Guarantee {
    fn parse(text: &str) -> Result<Guarantee, String> {
        pick(text, &[("exactly-once", Guarantee::ExactlyOnce), ("at-least-once", Guarantee::AtLeastOnce)])
    }
    fn write(&self) -> String {
        String::from(match self {
            Guarantee::ExactlyOnce => "exactly-once",
            Guarantee::AtLeastOnce => "at-least-once",
        })
    }
}

impl Text for LogFormat {
    fn parse(text: &str) -> Result<LogFormat, String> {
        pick(text, &[("text", LogFormat::Text), ("json", LogFormat::Json)])
    }
    fn write(&self) -> String {
        String::from(match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        })
    }
}

fn pick<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let found = choices.iter().find(|(name, _)| *name == text);
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    found.map(|(_, value)| *value).ok_or_else(|| format!("expected {}", names.join(" or ")))
}
