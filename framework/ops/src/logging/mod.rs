//! Log lines on stderr.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{LogFormat, LogSettings};
use crate::error::CliError;

/// Starts logging to stderr. A subscriber that is installed already (by a test, by an embedding program) stays.
pub fn init(settings: &LogSettings) -> Result<(), CliError> {
    let filter = parse_filter(settings.filter.as_str()).map_err(|error| CliError::usage(format!("log.filter: {error}")))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let installed = match settings.format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    };
    if let Err(error) = installed {
        tracing::debug!(%error, "logging was set up before");
    }
    Ok(())
}

/// Reads a filter strictly: a directive that cannot be understood is an error, not ignored.
pub(crate) fn parse_filter(text: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(text)
}
