use std::path::Path;

use headwater_core::port::StoreError;

use super::{read_if_there, whole_file};
use crate::error;

/// The version of everything this crate writes: the layout of the directory, the column families, the offsets' encoding.
/// Version 1, which had offsets alone where version 2 has checkpoints, is read and becomes version 2; any other is refused, never
/// guessed at.
pub const FORMAT_VERSION: u32 = 2;
/// The oldest version that can be read.
const OLDEST: u32 = 1;

/// Refuses a directory of another application or version; marks a new one. `tasks` tells new from old: state without a
/// format file was not put there by us.
pub(super) fn check_or_write(directory: &Path, app: &str, tasks: &Path) -> Result<(), StoreError> {
    let path = directory.join("format");
    let Some(text) = read_if_there(&path)? else {
        if tasks.try_exists().map_err(|failure| error::io(tasks, failure))? {
            return Err(error::foreign(directory, format!("it has state but no format file; expected {}", describe(app))));
        }
        return whole_file::write(&path, &render(app));
    };
    match parse(&text) {
        Some((FORMAT_VERSION, found)) if found == app => Ok(()),
        // Before anything is written: what comes after must be refused by those who know version 1 only.
        Some((OLDEST..FORMAT_VERSION, found)) if found == app => whole_file::write(&path, &render(app)),
        Some((version, found)) => {
            let found = format!("format {version} of application {found:?}");
            Err(error::foreign(directory, format!("found {found}, expected {}", describe(app))))
        }
        None => Err(error::foreign(&path, format!("found {text:?}, expected {}", describe(app)))),
    }
}

/// The application a directory says it belongs to; none where it does not say so.
pub(super) fn owner(directory: &Path) -> Result<Option<String>, StoreError> {
    let text = read_if_there(&directory.join("format"))?;
    Ok(text.as_deref().and_then(parse).map(|(_, app)| app.to_owned()))
}

fn describe(app: &str) -> String {
    format!("format {FORMAT_VERSION} of application {app:?}")
}

/// Two lines; the application comes last and is taken whole, so that no name needs escaping.
fn render(app: &str) -> String {
    format!("headwater-state {FORMAT_VERSION}\n{app}\n")
}

fn parse(text: &str) -> Option<(u32, &str)> {
    let (first, app) = text.strip_suffix('\n')?.split_once('\n')?;
    Some((first.strip_prefix("headwater-state ")?.parse().ok()?, app))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_reads_as_it_was_written() {
        let text = "headwater-state 2\nflights\n";
        assert_eq!(render("flights"), text, "the file of a released version does not change");
        assert_eq!(parse(text), Some((2, "flights")));
        assert_eq!(parse("headwater-state 1\nflights\n"), Some((1, "flights")));
    }

    #[test]
    fn what_is_not_ours_does_not_parse() {
        for text in [
            "",
            "\n",
            "headwater-state 1\n",
            "headwater-state one\nflights\n",
            "flights 1\nflights\n",
            "headwater-state 1\nflights",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
