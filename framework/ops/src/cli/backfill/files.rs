//! `--input`: files in place of inputs' topics.

use clap::ArgMatches;
use headwater_core::Blueprint;
use headwater_core::port::Log;
use headwater_files::{FileInput, FileRecords};
use headwater_runtime::backfill::{BackfillError, Request, Rows, Staged, count, run_name, stage};

use super::backfill_error;
use crate::error::CliError;

/// The files that were named.
pub(super) fn inputs(matches: &ArgMatches, chosen: Option<&Vec<String>>) -> Result<Vec<FileInput>, CliError> {
    let mut files: Vec<FileInput> = Vec::new();
    for text in matches.get_many::<String>("input").into_iter().flatten() {
        let file: FileInput = text.parse().map_err(|error| CliError::usage(format!("--input {error}")))?;
        if files.iter().any(|other| other.input == file.input) {
            return Err(CliError::usage(format!(
                "--input names {:?} twice: put what belongs together into one file",
                file.input
            )));
        }
        if chosen.is_some_and(|chosen| !chosen.contains(&file.input)) {
            return Err(CliError::usage(format!("--input has a file for {:?}, which --inputs leaves out", file.input)));
        }
        files.push(file);
    }
    Ok(files)
}

/// Whether every stream that is read comes from a file, so that there is no range to choose.
pub(super) fn are_all_streams(files: &[FileInput], blueprint: &Blueprint, chosen: Option<&Vec<String>>) -> bool {
    let streams = blueprint.input_times();
    let mut read = streams.keys().filter(|topic| chosen.is_none_or(|chosen| chosen.contains(topic)));
    !files.is_empty() && read.all(|topic| files.iter().any(|file| file.input == *topic))
}

/// Puts the files into the request as far as they are known before they are read.
pub(super) fn announce(files: &[FileInput], blueprint: &Blueprint, request: &mut Request) {
    let app = run_name(blueprint.app(), &request.id);
    request.staged = files.iter().map(|file| (file.input.clone(), Staged::unknown(&app, &file.input))).collect();
}

/// Puts the files into the request: writes their rows into topics of the run's own, or only looks at them.
pub(super) fn put(
    files: &[FileInput],
    blueprint: &Blueprint,
    log: &dyn Log,
    request: &mut Request,
    is_dry: bool,
) -> Result<(), CliError> {
    for file in files {
        let (input, path) = (&file.input, file.path.display());
        let staged = if is_dry {
            with_rows(blueprint, file, |open| count(blueprint, log, &request.id, input, open))
        } else {
            eprintln!("backfill {}: writing the rows of {path} into a topic of its own, for input {input}", request.id);
            stage_file(blueprint, log, &request.id, file)
        };
        let staged = staged.map_err(backfill_error)?;
        eprintln!(
            "backfill {}: {path} has {} rows, {} partitions of {}",
            request.id,
            staged.rows,
            staged.ends.len(),
            staged.topic
        );
        request.staged.insert(input.clone(), staged);
    }
    Ok(())
}

/// Writes the rows of a file into a topic of run `id`, for [`Request::staged`]; see [`stage`].
pub fn stage_file(blueprint: &Blueprint, log: &dyn Log, id: &str, file: &FileInput) -> Result<Staged, BackfillError> {
    with_rows(blueprint, file, |open| stage(blueprint, log, id, &file.input, open))
}

fn with_rows(
    blueprint: &Blueprint,
    file: &FileInput,
    work: impl FnOnce(&dyn Fn() -> Result<Rows, String>) -> Result<Staged, BackfillError>,
) -> Result<Staged, BackfillError> {
    let Some(declared) = blueprint.declared_input(&file.input) else {
        return Err(BackfillError::Unknown { what: "input", name: file.input.clone(), known: blueprint.input_topics() });
    };
    work(&|| {
        let records = FileRecords::open(&file.path, &file.options, &declared).map_err(|error| error.to_string())?;
        Ok(Box::new(records.map(|record| record.map_err(|error| error.to_string()))))
    })
}
