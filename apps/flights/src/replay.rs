//! June once more, by `backfill --mode diff`: what there is against what comes out today.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use headwater::bounded::Mode;
use headwater::port::Log;
use headwater::{CliError, Difference, Edge, Request, Session, Timestamp, Topology, days};
use serde_json::Value;

use crate::tables::thousands;
use crate::topology::{changed, topology};

const OUTPUT: &str = "flights.hourly";
/// June 2013 in UTC.
const JUNE: (i64, i64) = (1_370_044_800_000, 1_372_636_800_000);
/// Differences shown.
const SHOWN: usize = 3;

/// Which code replays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The same that ran live.
    AsItIs,
    /// [`changed`].
    Changed,
}

/// Replays June and prints how many windows were compared and how many differ. With the code as it is, any difference is a failure.
pub fn june(session: &Session<'_>, log: &Arc<dyn Log>, state: Option<PathBuf>, code: Code) -> Result<(), CliError> {
    let (id, describe, what): (_, fn(&mut Topology), _) = match code {
        Code::AsItIs => ("june", topology, "June once more, backfill --mode diff"),
        Code::Changed => ("june-changed", changed, "the same with early departures counted as on time"),
    };
    let request = Request {
        mode: Mode::Diff,
        warmup: Some(days(2)),
        outputs: Some(vec![OUTPUT.to_owned()]),
        asked: BTreeMap::from([("--from".to_owned(), "2013-06-01".to_owned()), ("--to".to_owned(), "2013-07-01".to_owned())]),
        ..Request::range(id, Edge::Time(Timestamp::from_millis(JUNE.0)), Edge::Time(Timestamp::from_millis(JUNE.1)))
    };
    let began = Instant::now();
    let done = session.backfill(Arc::clone(log), state, &request, describe, |_| ())?;
    let count = |counts: &BTreeMap<String, u64>| counts.get(OUTPUT).copied().unwrap_or(0);
    let (compared, different) =
        done.comparison.as_ref().map_or((0, 0), |comparison| (count(&comparison.compared), count(&comparison.different)));
    let verdict = if different == 0 { String::from("none differs") } else { format!("{} differ", thousands(different)) };
    println!("{what}: {} windows of {OUTPUT} compared, {verdict} ({:.1} s)", thousands(compared), began.elapsed().as_secs_f64());
    done.differences.iter().take(SHOWN).for_each(|difference| println!("  {}", line(difference)));
    match code {
        Code::AsItIs if different > 0 || compared == 0 => Err(CliError::failed("the replay of June differs from the live run")),
        Code::Changed if different == 0 => Err(CliError::failed("a changed function made no difference")),
        _ => Ok(()),
    }
}

fn line(difference: &Difference) -> String {
    let value =
        |bytes: Option<&[u8]>| -> Value { bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default() };
    let (existing, recomputed) = (value(difference.existing.as_deref()), value(difference.recomputed.as_deref()));
    let any = if existing.is_null() { &recomputed } else { &existing };
    let (origin, hour) = (any["origin"].as_str().unwrap_or("?"), any["window_start"].as_str().unwrap_or("?"));
    format!("{origin} at {hour}: dep_delay_sum was {}, would be {}", existing["dep_delay_sum"], recomputed["dep_delay_sum"])
}
