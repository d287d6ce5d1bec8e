//! `state`: what the stores hold, of a stopped instance from its directory, of a running one from its admin server.

use std::io::Write;

use clap::ArgMatches;
use headwater_core::{QueryError, StateQuery, StoreSummary, TaskId};
use serde_json::Value;

use super::http;
use super::output::print;
use super::spec::{AppSpec, StoppedState};
use crate::config::Settings;
use crate::error::CliError;
use crate::explain::codes;

/// Entries shown unless told otherwise.
pub(super) const DEFAULT_LIMIT: usize = 100;

/// What was asked.
enum Question<'a> {
    List,
    Get { store: &'a str, key: &'a str, limit: usize },
    Range { store: &'a str, from: Option<&'a str>, to: Option<&'a str>, limit: usize },
}

impl<'a> Question<'a> {
    fn of(matches: &'a ArgMatches) -> Result<Question<'a>, CliError> {
        let Some((name, matches)) = matches.subcommand() else {
            return Err(CliError::usage("state: expected list, get or range"));
        };
        let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten().map(String::as_str);
        let limit = match text("limit") {
            None => DEFAULT_LIMIT,
            Some(limit) => limit
                .parse()
                .ok()
                .filter(|limit| *limit > 0)
                .ok_or_else(|| CliError::usage(format!("--limit {limit}: expected a whole number of at least 1")))?,
        };
        let store = text("store").unwrap_or_default();
        Ok(match name {
            "get" => Question::Get { store, key: text("key").unwrap_or_default(), limit },
            "range" => Question::Range { store, from: text("from"), to: text("to"), limit },
            _ => Question::List,
        })
    }

    /// The admin server's name for it.
    fn path(&self) -> String {
        match self {
            Question::List => String::from("/state"),
            Question::Get { store, key, limit } => format!("/state/{}/{}?limit={limit}", http::escape(store), http::escape(key)),
            Question::Range { store, from, to, limit } => {
                let bound = |name: &str, bound: &Option<&str>| {
                    bound.map_or(String::new(), |text| format!("&{name}={}", http::escape(text)))
                };
                format!("/state/{}?limit={limit}{}{}", http::escape(store), bound("from", from), bound("to", to))
            }
        }
    }
}

pub(super) fn state(spec: &AppSpec, settings: &Settings, matches: &ArgMatches, out: &mut dyn Write) -> Result<(), CliError> {
    let question = Question::of(matches)?;
    match matches.subcommand().and_then(|(_, matches)| matches.get_one::<String>("ask")) {
        Some(address) => of_running(address, &question, out),
        None => of_stopped(spec, settings, &question, out),
    }
}

fn of_running(address: &str, question: &Question<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    let (status, body) = http::get(address, &question.path())?;
    let answer: Value = serde_json::from_str(&body).unwrap_or_default();
    if status != 200 {
        let reason = answer
            .get("error")
            .and_then(Value::as_str)
            .unwrap_or("it has no such page: is it another program or an older version?");
        return Err(CliError::failed(format!("{address}: {reason}")));
    }
    let rows = answer.get("stores").or_else(|| answer.get("entries")).and_then(Value::as_array);
    let truncated = answer.get("truncated").and_then(Value::as_bool).unwrap_or(false);
    show(rows.map(Vec::as_slice).unwrap_or_default(), truncated, out)
}

fn of_stopped(spec: &AppSpec, settings: &Settings, question: &Question<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    let app = spec.name;
    let in_use = |error: CliError| match error.code {
        Some(codes::STATE_IN_USE) => CliError {
            message: format!(
                "{}; to look into a running process, ask its admin server: {app} state ... --admin HOST:PORT",
                error.message
            ),
            ..error
        },
        _ => error,
    };
    let Some(state) = (spec.surroundings.state)(settings).map_err(in_use)? else {
        return Err(CliError::failed(format!(
            "there is no state of {app} in {}: name its directory with --state-dir, or ask a running process with --admin HOST:PORT",
            settings.state.dir.display()
        )));
    };
    let blueprint =
        (spec.surroundings.blueprint)(spec.name).map_err(|reason| CliError::failed(reason).with_code(codes::INVALID_TOPOLOGY))?;
    let tasks: Vec<TaskId> = state.tasks.iter().filter_map(|name| task_of(name)).collect();
    let mut rows = Vec::new();
    let mut truncated = false;
    let query = match question {
        Question::List => None,
        Question::Get { store, key, limit } => Some(blueprint.state_of_key(store, key, *limit).map_err(query_error)?),
        Question::Range { store, from, to, limit } => {
            Some(blueprint.state_range(store, *from, *to, *limit).map_err(query_error)?)
        }
    };
    for task in &tasks {
        let Some(open) = blueprint.open_stores(&task.subtopology) else { continue };
        let relevant = |query: &StateQuery| open.iter().any(|store| store.name == query.store());
        if query.as_ref().is_some_and(|query| !relevant(query)) {
            continue;
        }
        let stores = state.stores.open(&task.to_string(), &open)?;
        match &query {
            None => rows.extend(to_values(&blueprint.summarize(task, stores.as_ref(), true)?)),
            Some(query) => {
                let page = blueprint.inspect(task, stores.as_ref(), query).map_err(query_error)?.unwrap_or_default();
                truncated |= page.truncated;
                rows.extend(page.entries);
            }
        }
    }
    finish(question, rows, truncated, &state, out)
}

fn finish(
    question: &Question<'_>,
    mut rows: Vec<Value>,
    truncated: bool,
    state: &StoppedState,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let place = state.path.display();
    match question {
        Question::List => {
            rows.sort_by_key(|row| (row["store"].as_str().map(str::to_owned), row["task"].as_str().map(str::to_owned)))
        }
        Question::Get { store, .. } if rows.is_empty() => {
            return Err(CliError::failed(format!(
                "store {store:?} has no such key in {place}: it may belong to a task of another instance"
            )));
        }
        Question::Get { limit, .. } | Question::Range { limit, .. } => {
            let more = rows.len() > *limit;
            rows.truncate(*limit);
            return show(&rows, truncated || more, out);
        }
    }
    show(&rows, truncated, out)
}

/// `<sub-topology>-<partition>`.
fn task_of(name: &str) -> Option<TaskId> {
    let (subtopology, partition) = name.rsplit_once('-')?;
    Some(TaskId { subtopology: subtopology.into(), partition: partition.parse().ok()? })
}

fn to_values(summaries: &[StoreSummary]) -> Vec<Value> {
    // Strings and numbers: nothing in them can fail to become JSON.
    summaries.iter().filter_map(|summary| serde_json::to_value(summary).ok()).collect()
}

fn query_error(error: QueryError) -> CliError {
    match error {
        QueryError::Store(error) => error.into(),
        QueryError::UnknownStore { .. } | QueryError::BadKey { .. } => CliError::usage(error.to_string()),
        QueryError::Undecodable { .. } => CliError::failed(error.to_string()),
    }
}

fn show(rows: &[Value], truncated: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    print(out, &lines)?;
    if truncated {
        eprintln!("there may be more: raise --limit, or go on from the last key with --from");
    }
    Ok(())
}
