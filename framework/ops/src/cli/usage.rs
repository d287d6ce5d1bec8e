use clap::error::{Error, ErrorKind};

use crate::error::CliError;

/// What clap makes of a call that is not a command: help to show, or an error.
pub(super) enum NotACommand {
    /// Help or version was asked for.
    Help(String),
    /// Nothing was asked for: help, but on stderr.
    Nothing(String),
    /// The call was wrong.
    Wrong(CliError),
}

pub(super) fn sort(error: &Error) -> NotACommand {
    let rendered = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => NotACommand::Help(rendered),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => NotACommand::Nothing(rendered),
        _ => NotACommand::Wrong(CliError::usage(one_line(&rendered))),
    }
}

/// clap explains in paragraphs: the error, a tip, usage, a pointer to `--help`. The error and the tip fit on one line, and
/// are what is looked for.
fn one_line(rendered: &str) -> String {
    let useful = rendered.split("\nUsage:").next().unwrap_or(rendered);
    let mut line = String::new();
    for paragraph in useful.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
        if paragraph.starts_with("For more information") {
            continue;
        }
        let words = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = words.strip_prefix("error: ").or_else(|| words.strip_prefix("tip: ")).unwrap_or(&words).to_owned();
        if !line.is_empty() {
            line.push_str("; ");
        }
        line.push_str(&words);
    }
    line
}
