use std::io::{ErrorKind, Write};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches};

use crate::error::CliError;

/// How a command prints its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `--output` with these choices, the first being the default.
pub fn output_flag(choices: &'static [&'static str]) -> Arg {
    let flag = Arg::new("output").long("output").value_name("FORMAT").help("Format of the data on stdout");
    flag.value_parser(PossibleValuesParser::new(choices)).default_value(choices[0])
}

/// The choice of an [`output_flag`] of `text` and `json`.
pub fn output_format(matches: &ArgMatches) -> OutputFormat {
    match matches.get_one::<String>("output").map(String::as_str) {
        Some("json") => OutputFormat::Json,
        _ => OutputFormat::Text,
    }
}

/// Writes data. A reader that has gone away (`| head`) wanted no more: that is no failure.
pub fn print(out: &mut dyn Write, data: &str) -> Result<(), CliError> {
    match out.write_all(data.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::failed(format!("cannot write to stdout: {error}"))),
        _ => Ok(()),
    }
}
