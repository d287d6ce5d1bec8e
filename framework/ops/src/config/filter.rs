use super::text::Text;
use crate::logging;

/// What is logged, known to be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The filter's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LogFilter {
    /// What is amiss only.
    pub fn warnings() -> LogFilter {
        LogFilter(String::from("warn"))
    }
}

impl Default for LogFilter {
    fn default() -> LogFilter {
        LogFilter(String::from("info"))
    }
}

impl Text for LogFilter {
    fn parse(text: &str) -> Result<LogFilter, String> {
        match logging::parse_filter(text) {
            Ok(_) if !text.is_empty() => Ok(LogFilter(text.to_owned())),
            _ => Err(String::from(
                "expected error, warn, info, debug or trace, or levels per module such as info,headwater_kafka=debug",
            )),
        }
    }

    fn write(&self) -> String {
        self.0.clone()
    }
}
