use headwater_core::port::{LogError, StoreError};
use thiserror::Error;

use crate::explain::codes;

/// Why a command ended badly: what the person reads, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct CliError {
    /// The page to read (see [`crate::explain`]), if the failure has one.
    pub code: Option<&'static str>,
    /// What happened, naming the thing concerned. Starts in lower case, ends without a full stop.
    pub message: String,
    /// 1: the command failed. 2: it was called or configured wrongly.
    pub exit: u8,
}

impl CliError {
    /// The command failed (exit code 1).
    pub fn failed(message: impl Into<String>) -> CliError {
        CliError { code: None, message: message.into(), exit: 1 }
    }

    /// The command was called or configured wrongly (exit code 2).
    pub fn usage(message: impl Into<String>) -> CliError {
        CliError { code: None, message: message.into(), exit: 2 }
    }

    /// The same error with a page.
    pub fn with_code(mut self, code: &'static str) -> CliError {
        self.code = Some(code);
        self
    }

    /// What is printed to stderr. A usage error stays on one line, hint included: it is read in the middle of typing.
    pub fn render(&self, app: &str) -> String {
        match self.code {
            None => format!("error: {}", self.message),
            Some(code) if self.exit == 2 => format!("error[{code}]: {} ({app} explain {code})", self.message),
            Some(code) => format!("error[{code}]: {}\n({app} explain {code})", self.message),
        }
    }
}

/// Failures of the log, with the page that belongs to each.
impl From<LogError> for CliError {
    fn from(error: LogError) -> CliError {
        let code = match &error {
            LogError::Unreachable { .. } => Some(codes::NO_BROKER),
            LogError::UnknownTopic { .. } => Some(codes::MISSING_INPUT_TOPIC),
            LogError::Fenced(_) => Some(codes::FENCED),
            LogError::OutOfRange { .. } => Some(codes::INPUT_OUT_OF_RANGE),
            LogError::Refused { .. } => Some(codes::REFUSED_RECORD),
            LogError::Retriable(_) | LogError::AbortTransaction(_) | LogError::Unusable(_) | LogError::Fatal(_) => None,
        };
        CliError { code, message: error.to_string(), exit: 1 }
    }
}

/// Failures of the state on disk, with the page that belongs to each.
impl From<StoreError> for CliError {
    fn from(error: StoreError) -> CliError {
        let code = match &error {
            StoreError::Locked { .. } => Some(codes::STATE_IN_USE),
            StoreError::Foreign { .. } => Some(codes::STATE_FOREIGN),
            StoreError::Corrupt { .. } | StoreError::Io { .. } => None,
        };
        CliError { code, message: error.to_string(), exit: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_page_on_a_second_line_and_a_usage_error_on_the_same() {
        let error = LogError::Unreachable { addresses: "broker:9092".into(), tried: "5 s".into() };
        assert_eq!(
            CliError::from(error).render("flights"),
            "error[HW0003]: no Kafka broker could be reached at broker:9092: 5 s\n(flights explain HW0003)"
        );
        assert_eq!(
            CliError::usage("no such key").with_code(codes::UNKNOWN_KEY).render("flights"),
            "error[HW0001]: no such key (flights explain HW0001)"
        );
        assert_eq!(CliError::failed("it broke").render("flights"), "error: it broke");
    }
}
