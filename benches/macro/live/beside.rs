//! Latency of a live application alone, and with a throttled backfill of the same application beside it, on the same broker and the same cores.

use std::time::Duration;

use headwater_benches::{Data, Job};
use serde_json::{Value, json};

use super::Live;
use super::backfill::{Backfill, Backfilled};
use super::feed::Pace;
use super::latency::{self, Latency};
use crate::contender::Contender;
use crate::peer::Peer;
use crate::report::{Figures, rounded};
use crate::run::{cleaned, create_topics, job};
use crate::settings::{Settings, Variant};
use crate::stage::Stage;

/// How much longer than the steady part a backfill lasts: it is at work before it begins, and must be until the last result is there.
const SPARE: Duration = Duration::from_secs(20);

/// What the application is called in lines and tables that has nobody beside it.
pub(crate) const ALONE: &str = "alone";

/// How late results were, and what was done beside them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beside {
    pub(crate) latency: Latency,
    pub(crate) backfilled: Option<Backfilled>,
    /// Records that the input had before the steady part: the live application has read them, and a backfill reads them again.
    history: u64,
}

impl Figures for Beside {
    fn figures(&self) -> Value {
        let mut figures = self.latency.figures();
        figures["history"] = self.history.into();
        if let Some(Backfilled { records_per_second, rate, cpu_seconds, peak_mib }) = self.backfilled {
            figures["backfill_rate"] = rate.into();
            figures["backfill_records_per_second"] = json!(records_per_second.round());
            figures["backfill_cpu_seconds"] = json!(rounded(cpu_seconds));
            figures["backfill_peak_mib"] = peak_mib.into();
        }
        figures
    }
}

/// What is compared, and whether there is a backfill, in the order of a round, from 1. Each goes first in every other one: the broker, which is a JVM, gets
/// faster for a while. The input is the same in both.
pub(crate) fn cases(round: usize) -> [(&'static str, bool); 2] {
    let (alone, with_backfill) = ((ALONE, false), ("with-backfill", true));
    if round % 2 == 1 { [alone, with_backfill] } else { [with_backfill, alone] }
}

/// Runs one case once, checks the live application's results and removes what both have left.
pub(crate) fn run(
    stage: &Stage,
    settings: &Settings,
    peer: &Peer,
    (variant, (name, has_backfill), number): (Variant, (&str, bool), usize),
) -> Result<Beside, String> {
    let app = format!("beside-{name}-{number}");
    let history = settings.beside_rate * (settings.seconds + SPARE.as_secs());
    let data = Data { records: history + settings.rate * settings.seconds, ..settings.data };
    let job = Job { input: format!("{app}-in"), awaited: data.records, ..job(stage, settings, variant, app) };
    let pace = Pace { primer: history, rate: settings.rate };
    let measured = measure(stage, settings, peer, (&job, data, pace, has_backfill));
    cleaned(stage, &job, Contender::Headwater, measured)
}

fn measure(
    stage: &Stage,
    settings: &Settings,
    peer: &Peer,
    (job, data, pace, has_backfill): (&Job, Data, Pace, bool),
) -> Result<Beside, String> {
    let contender = Contender::Headwater;
    let output = create_topics(stage, job, contender)?;
    let live = Live::new(stage, job, &output, data, pace);
    let mut backfill = has_backfill.then(|| Backfill::of(&live, settings)).transpose()?;
    let command = contender.command(job, peer, settings);
    let played = latency::play(&live, settings, (contender, command), || match &mut backfill {
        Some(backfill) => backfill.look(),
        None => live.look(),
    })?;
    // It has been at work until the last result was committed.
    let backfilled = backfill.map(Backfill::stop).transpose()?;
    Ok(Beside { latency: latency::judge(&live, played)?, backfilled, history: pace.primer })
}
