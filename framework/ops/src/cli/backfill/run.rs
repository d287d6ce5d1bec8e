//! Planning a run, or finding its plan, and working on it until it is over.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use clap::ArgMatches;
use headwater_core::Blueprint;
use headwater_core::bounded::{Mode, RunPhase, RunRecord};
use headwater_core::port::Log;
use headwater_runtime::backfill::{Draft, Ended, Registry, Request, digest, plan};
use headwater_runtime::{Observer, wall_clock};

use super::progress::Shown;
use super::report::Report;
use super::tally::Tally;
use super::{backfill_error, blueprint, files, outcome, parse, run_blueprint, show};
use crate::cli::output::print;
use crate::cli::serving::Serving;
use crate::cli::spec::{AppSpec, BoundedWork};
use crate::config::{Settings, Text};
use crate::error::CliError;
use crate::explain::codes;
use crate::fanout::Fanout;

/// The exit code of a comparison that failed; 1 says that it found differences.
const FAILED: u8 = 2;
const DIFFERENT: &str = codes::DIFFERENT;

pub(super) fn run(spec: &AppSpec, settings: &Settings, matches: &ArgMatches, out: &mut dyn Write) -> Result<(), CliError> {
    let mut settings = settings.clone();
    if let Some(text) = matches.get_one::<String>("parallel") {
        settings.run.workers =
            <usize as Text>::parse(text).map_err(|expected| CliError::usage(format!("--parallel {text}: {expected}")))?;
    }
    let topology = blueprint(spec, spec.name)?;
    let log = (spec.surroundings.log)(&settings)?;
    let call = Call { spec, settings, matches, topology: &topology, log };
    let mut is_diff = matches.get_one::<String>("mode").is_some_and(|mode| mode == "diff");
    call.carry_out(&mut is_diff, out).map_err(|error| match error.exit {
        1 if is_diff && error.code != Some(DIFFERENT) => CliError { exit: FAILED, ..error },
        _ => error,
    })
}

/// One call of the command.
struct Call<'a> {
    spec: &'a AppSpec,
    settings: Settings,
    matches: &'a ArgMatches,
    topology: &'a Blueprint,
    log: Arc<dyn Log>,
}

impl Call<'_> {
    fn carry_out(&self, is_diff: &mut bool, out: &mut dyn Write) -> Result<(), CliError> {
        let max_rate = self.max_rate()?;
        let registry = Registry::of(self.topology, self.log.as_ref());
        let id = self.matches.get_one::<String>("id");
        let there = id.map(|id| registry.resume(id, &parse::asked(self.matches))).transpose().map_err(backfill_error)?.flatten();
        let (draft, is_new) = match there {
            Some(record) => (Draft { record, warnings: Vec::new() }, false),
            None => {
                let request = self.request()?;
                (plan(self.topology, self.log.as_ref(), &request, wall_clock()).map_err(backfill_error)?, true)
            }
        };
        *is_diff = draft.record.mode == Mode::Diff;
        let shown = show::plan(&draft.record, &draft.warnings, self.settings.run.workers, max_rate);
        if self.matches.get_flag("dry-run") {
            return self.show_only(&draft, &shown, out);
        }
        eprint!("{shown}");
        let record = if is_new { registry.keep(&draft.record).map_err(backfill_error)? } else { draft.record };
        let (tally, began) = (Arc::new(Tally::default()), Instant::now());
        let ended = if record.then_live || !record.is_over() {
            self.work(&record, max_rate, &tally)?
        } else {
            // All of it is there: what is left is to compare.
            Ended::Complete
        };
        self.conclude(&registry, &record, ended, (&tally, began), out)
    }

    fn show_only(&self, draft: &Draft, shown: &str, out: &mut dyn Write) -> Result<(), CliError> {
        if self.is_json() {
            return print(out, &format!("{:#}\n", show::plan_json(draft)));
        }
        print(out, shown)?;
        print(out, "nothing was started; leave --dry-run out to start it\n")
    }

    fn is_json(&self) -> bool {
        self.matches.get_one::<String>("report").is_some_and(|format| format == "json")
    }

    /// What is asked for, with files where they were named.
    fn request(&self) -> Result<Request, CliError> {
        let chosen = parse::names(self.matches, "inputs");
        let files = files::inputs(self.matches, chosen.as_ref())?;
        let is_whole = files::are_all_streams(&files, self.topology, chosen.as_ref());
        let mut request = parse::request(self.matches, wall_clock(), is_whole)?;
        if !files.is_empty() {
            // What the topology and the flags refuse is found before anything is written.
            files::announce(&files, self.topology, &mut request);
            plan(self.topology, self.log.as_ref(), &request, wall_clock()).map_err(backfill_error)?;
        }
        let is_dry = self.matches.get_flag("dry-run");
        files::put(&files, self.topology, self.log.as_ref(), &mut request, is_dry)?;
        Ok(request)
    }

    fn max_rate(&self) -> Result<Option<u64>, CliError> {
        let rate = self.matches.get_one::<String>("max-rate");
        let parsed = rate.map(|text| {
            let rate = <usize as Text>::parse(text).map_err(|expected| CliError::usage(format!("--max-rate {text}: {expected}")));
            rate.map(|rate| rate as u64)
        });
        parsed.transpose()
    }

    /// Works until the run is over, with metrics and admin pages if an address for them was given.
    fn work(&self, record: &RunRecord, max_rate: Option<u64>, tally: &Arc<Tally>) -> Result<Ended, CliError> {
        let description = run_blueprint(self.spec, record)?.describe();
        let wants_pages = matches!(self.matches.try_get_one::<String>("admin"), Ok(Some(_)));
        let serving = Serving::start(&record.app, description, &self.settings, wants_pages)?;
        let mut observers = serving.observers();
        observers.push(Arc::clone(tally) as Arc<dyn Observer>);
        let progress = Arc::new(Shown::new(&record.id, record.offsets()));
        let told = Arc::clone(&progress);
        let ended = (self.spec.work)(BoundedWork {
            settings: self.settings.clone(),
            log: Arc::clone(&self.log),
            record: record.clone(),
            max_rate,
            observer: Arc::new(Fanout::new(observers)),
            tell: Box::new(move |progress| told.tell(progress)),
            shutdown: serving.shutdown.clone(),
        });
        progress.finish();
        ended
    }

    /// Notes the end, looks at the results, and tells.
    fn conclude(
        &self,
        registry: &Registry<'_>,
        record: &RunRecord,
        ended: Ended,
        (tally, began): (&Tally, Instant),
        out: &mut dyn Write,
    ) -> Result<(), CliError> {
        let is_complete = ended == Ended::Complete;
        if is_complete {
            registry.end(&record.id, RunPhase::Done).map_err(backfill_error)?;
        }
        let file = self.matches.get_one::<String>("differences");
        let comparison = (is_complete && record.mode == Mode::Diff)
            .then(|| outcome::differences(self.topology, self.log.as_ref(), record, file))
            .transpose()?;
        let digest = (is_complete && record.mode != Mode::StateOnly && !self.matches.get_flag("no-digest"))
            .then(|| digest(self.topology, self.log.as_ref(), record).map_err(backfill_error))
            .transpose()?;
        let report =
            Report { record, ended, took: began.elapsed(), counts: tally.counts(), digest, comparison: comparison.as_ref() };
        let told = if self.is_json() { format!("{:#}\n", report.json()) } else { report.text() };
        print(out, &told)?;
        match (ended, comparison.map_or(0, |comparison| comparison.differences())) {
            (Ended::Complete, 0) => Ok(()),
            (Ended::Complete, differences) => Err(CliError::failed(format!("{differences} values differ")).with_code(DIFFERENT)),
            (Ended::Cancelled, _) => Err(CliError::failed(format!("backfill {:?} was cancelled", record.id))),
            (Ended::Stopped | Ended::HandedOver, _) if record.then_live => Ok(()),
            (Ended::HandedOver, _) => Err(CliError::failed(format!("another generation has taken over from {:?}", record.app))),
            (Ended::Stopped, _) => Err(CliError::failed(format!(
                "backfill {0:?} was stopped before its end; go on with `{1} backfill --id {0}`",
                record.id, self.spec.name
            ))),
        }
    }
}
