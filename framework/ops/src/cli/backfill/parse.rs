use std::collections::BTreeMap;
use std::time::Duration;

use clap::ArgMatches;
use headwater_core::bounded::{Finish, Mode};
use headwater_core::{Timestamp, TopicPartition};
use headwater_runtime::backfill::{Destination, Edge, Request};

use crate::cli::times::{moment, show};
use crate::config::Text;
use crate::error::CliError;

/// The flags that make a plan: a resumed run must have the same, or none.
const PLANNED: [&str; 13] = [
    "from",
    "to",
    "state-from",
    "inputs",
    "input",
    "mode",
    "output-suffix",
    "warmup",
    "finish",
    "outputs",
    "allow-sinks",
    "same-output",
    "then-live",
];

/// What is asked for by the flags of a plan, as written.
pub(super) fn asked(matches: &ArgMatches) -> BTreeMap<String, String> {
    let text = |name: &&str| match *name {
        "same-output" | "then-live" => matches.get_flag(name).then(|| String::from("yes")),
        "input" => matches.get_many::<String>("input").map(|files| files.cloned().collect::<Vec<_>>().join(" ")),
        name => matches.get_one::<String>(name).cloned(),
    };
    PLANNED.iter().filter_map(|name| Some((format!("--{name}"), text(name)?))).collect()
}

/// Reads the flags of a new run. It is from beginning to end unless they say otherwise, if there is nothing but files to read.
pub(super) fn request(matches: &ArgMatches, now: Timestamp, is_whole: bool) -> Result<Request, CliError> {
    let id = matches.get_one::<String>("id").cloned().unwrap_or_else(|| name_by(now));
    let then_live = matches.get_flag("then-live");
    if then_live {
        only_with_an_end(matches)?;
    }
    let state_from = matches.get_one::<String>("state-from").cloned();
    if state_from.is_some() && matches.get_one::<String>("warmup").is_some() {
        return Err(CliError::usage("--state-from has all the state there is: leave --warmup out"));
    }
    let from = match &state_from {
        Some(_) if matches.get_one::<String>("from").is_none() => Edge::State,
        _ => edge(matches, "from", now, is_whole)?,
    };
    let to = if then_live { end_of_files(matches, now)? } else { edge(matches, "to", now, is_whole)? };
    if from == Edge::Now || to == Edge::Earliest {
        return Err(CliError::usage("--from now and --to earliest leave nothing between them"));
    }
    let mode = match matches.get_one::<String>("mode").map(String::as_str) {
        Some("state-only") => Mode::StateOnly,
        Some("diff") => Mode::Diff,
        _ => Mode::Emit,
    };
    let warmup = matches
        .get_one::<String>("warmup")
        .map(|text| <Duration as Text>::parse(text).map_err(|expected| CliError::usage(format!("--warmup {text}: {expected}"))));
    let finish = match matches.get_one::<String>("finish").map(String::as_str) {
        Some("close-windows") => Finish::CloseWindows,
        _ => Finish::KeepOpen,
    };
    Ok(Request {
        id,
        from,
        to,
        inputs: names(matches, "inputs"),
        staged: BTreeMap::new(),
        state_from,
        mode,
        destination: destination(matches, mode)?,
        warmup: warmup.transpose()?,
        finish,
        outputs: names(matches, "outputs"),
        allow_sinks: names(matches, "allow-sinks").unwrap_or_default(),
        then_live,
        asked: asked(matches),
    })
}

/// The moment from which on a run that goes on live takes records from topics, where files have those before.
fn end_of_files(matches: &ArgMatches, now: Timestamp) -> Result<Edge, CliError> {
    if matches.get_many::<String>("input").is_none() {
        return Ok(Edge::Now);
    }
    if matches.get_one::<String>("to").is_none() {
        return Err(CliError::usage(
            "--then-live with files needs --to TIME: rows of earlier event time are taken from the files, records of that time or later from the topics",
        ));
    }
    match edge(matches, "to", now, false)? {
        Edge::Now => Ok(Edge::Time(now)),
        Edge::Time(time) => Ok(Edge::Time(time)),
        _ => Err(CliError::usage("--then-live with files goes by event time: --to takes a time, no offsets")),
    }
}

/// Flags that make no sense for a run without an end, or that are not its business.
fn only_with_an_end(matches: &ArgMatches) -> Result<(), CliError> {
    let has_files = matches.get_many::<String>("input").is_some();
    let given = ["to", "mode", "inputs", "outputs", "warmup", "finish", "state-from"]
        .into_iter()
        .filter(|flag| *flag != "to" || !has_files)
        .find(|flag| matches.get_one::<String>(flag).is_some());
    match given {
        Some(flag) => Err(CliError::usage(format!("--then-live has no end and is all of the application: leave --{flag} out"))),
        None => Ok(()),
    }
}

fn destination(matches: &ArgMatches, mode: Mode) -> Result<Option<Destination>, CliError> {
    let (suffix, same) = (matches.get_one::<String>("output-suffix"), matches.get_flag("same-output"));
    if mode != Mode::Emit && (suffix.is_some() || same) {
        return Err(CliError::usage("only --mode emit writes results: leave --output-suffix and --same-output out"));
    }
    match (suffix, same) {
        (Some(_), true) => Err(CliError::usage("--output-suffix and --same-output contradict each other")),
        (Some(suffix), false) if suffix.is_empty() => {
            Err(CliError::usage("--output-suffix: an empty one names the outputs themselves; that is --same-output"))
        }
        (Some(suffix), false) => Ok(Some(Destination::Suffix(suffix.clone()))),
        (None, true) if !matches.get_flag("yes-same-output") => Err(CliError::usage(
            "--same-output lets readers of the outputs see time go back, and results twice; if that is what you want, add --yes-same-output",
        )),
        (None, true) => Ok(Some(Destination::Same)),
        (None, false) => Ok(None),
    }
}

pub(super) fn names(matches: &ArgMatches, flag: &str) -> Option<Vec<String>> {
    let names = matches.get_one::<String>(flag)?.split(',');
    Some(names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect())
}

fn edge(matches: &ArgMatches, flag: &str, now: Timestamp, is_whole: bool) -> Result<Edge, CliError> {
    let Some(text) = matches.get_one::<String>(flag) else {
        if is_whole {
            return Ok(if flag == "from" { Edge::Earliest } else { Edge::Now });
        }
        return Err(CliError::usage(format!(
            "--{flag} is missing: a new run needs --from and --to (one that was planned, its --id)"
        )));
    };
    match text.as_str() {
        "earliest" => Ok(Edge::Earliest),
        "now" => Ok(Edge::Now),
        offsets if offsets.contains('=') => offsets_of(offsets).map(Edge::Offsets).ok_or_else(|| {
            CliError::usage(format!("--{flag} {offsets}: expected topic:partition=offset, several separated by commas"))
        }),
        time => moment(time, now).map(Edge::Time).map_err(|expected| CliError::usage(format!("--{flag} {time}: {expected}"))),
    }
}

fn offsets_of(text: &str) -> Option<BTreeMap<TopicPartition, i64>> {
    let offset = |part: &str| -> Option<(TopicPartition, i64)> {
        let (partition, offset) = part.trim().split_once('=')?;
        let (topic, partition) = partition.rsplit_once(':')?;
        let offset = offset.parse().ok().filter(|offset| *offset >= 0)?;
        Some((TopicPartition::new(topic, partition.parse().ok().filter(|partition| *partition >= 0)?), offset))
    };
    text.split(',').map(offset).collect()
}

/// A name for a run that was given none.
fn name_by(now: Timestamp) -> String {
    show(now).chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::backfill::command::command;

    fn parse(line: &str) -> Result<Request, String> {
        let words = std::iter::once("backfill").chain(line.split(' ').filter(|word| !word.is_empty()));
        let matches = command("app").try_get_matches_from(words).map_err(|error| error.to_string())?;
        request(&matches, Timestamp::from_millis(1_372_593_600_000), false).map_err(|error| error.message)
    }

    #[test]
    fn reads_edges_of_every_kind() {
        let edges = |line: &str| parse(&format!("{line} --mode diff")).map(|request| (request.from, request.to));
        assert_eq!(edges("--from earliest --to now"), Ok((Edge::Earliest, Edge::Now)));
        let time = |millis| Edge::Time(Timestamp::from_millis(millis));
        assert_eq!(edges("--from 2013-06-01 --to -1d"), Ok((time(1_370_044_800_000), time(1_372_507_200_000))));
        let offsets = |list: &[(&str, i32, i64)]| {
            Edge::Offsets(
                list.iter().map(|(topic, partition, offset)| (TopicPartition::new(*topic, *partition), *offset)).collect(),
            )
        };
        assert_eq!(
            edges("--from a.b:0=5,a.b:12=7 --to a.b:0=9"),
            Ok((offsets(&[("a.b", 0, 5), ("a.b", 12, 7)]), offsets(&[("a.b", 0, 9)])))
        );
        for wrong in [
            "--from a:0 --to now",
            "--from a:x=1 --to now",
            "--from a:0=-1 --to now",
            "--from now --to now",
            "--to now",
            "--from earliest --to earliest",
        ] {
            assert!(edges(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn results_need_a_place_that_somebody_named() {
        let destination = |line: &str| parse(&format!("--from earliest --to now {line}")).map(|request| request.destination);
        assert_eq!(destination("--output-suffix .v2"), Ok(Some(Destination::Suffix(".v2".into()))));
        assert_eq!(destination("--same-output --yes-same-output"), Ok(Some(Destination::Same)));
        assert_eq!(destination(""), Ok(None));
        assert!(destination("--same-output").unwrap_err().contains("--yes-same-output"));
        assert!(destination("--mode diff --output-suffix x").is_err());
        assert!(destination("--same-output --yes-same-output --output-suffix x").is_err());
    }

    #[test]
    fn a_run_that_goes_on_live_may_write_elsewhere_and_begins_with_everything() {
        let request = parse("--from earliest --then-live --output-suffix .v2").unwrap();
        assert_eq!((request.then_live, request.destination), (true, Some(Destination::Suffix(".v2".into()))));
        assert_eq!(request.asked["--output-suffix"], ".v2");
        for (wrong, why) in [
            ("--from earliest --then-live --output-suffix .v2 --same-output --yes-same-output", "contradict"),
            ("--from earliest --then-live --state-from may", "leave --state-from out"),
            ("--from earliest --then-live --mode diff", "leave --mode out"),
        ] {
            assert!(parse(wrong).unwrap_err().contains(why), "{wrong}");
        }
    }

    #[test]
    fn a_run_with_a_state_begins_where_that_ended() {
        let request = parse("--state-from may --to now --mode diff").unwrap();
        assert_eq!((request.from, request.state_from.as_deref()), (Edge::State, Some("may")));
        assert_eq!(request.asked["--state-from"], "may");
        let moment = Edge::Time(Timestamp::from_millis(1_370_044_800_000));
        assert_eq!(parse("--state-from may --from 2013-06-01 --to now --mode diff").unwrap().from, moment);
        assert!(parse("--state-from may --to now --warmup 2d").unwrap_err().contains("leave --warmup out"));
        assert!(parse("--to now --mode diff").unwrap_err().contains("--from is missing"));
    }

    #[test]
    fn a_run_has_a_name_and_remembers_what_was_asked() {
        let request = parse("--from earliest --to now --mode diff --outputs a,b").unwrap();
        assert_eq!(request.id, "20130630t120000z");
        let asked: Vec<_> = request.asked.iter().map(|(flag, value)| format!("{flag} {value}")).collect();
        assert_eq!(asked, ["--from earliest", "--mode diff", "--outputs a,b", "--to now"]);
    }
}
