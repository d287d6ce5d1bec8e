//! `flights.grounded`: aircraft that do not come back to New York for more than a week.

use std::time::Duration;

use headwater::{Cx, Failure, Fired, Map, On, OnTimer, Output, Setup, Timer, Timestamp, Transform, days};
use serde::{Deserialize, Serialize};

use crate::flight::Flight;

/// How long an aircraft may stay away. Exactly this long is not too long.
const PATIENCE: Duration = days(7);

/// An aircraft that stayed away, as `flights.grounded` carries it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grounded {
    /// The aircraft.
    pub tailnum: String,
    /// Its last departure: RFC 3339 in UTC.
    pub last_seen: String,
    /// A week later: RFC 3339 in UTC.
    pub grounded_at: String,
}

impl Grounded {
    /// The event of an aircraft that left at `last_seen` and not again for a week.
    pub fn since(tailnum: &str, last_seen: Timestamp) -> Grounded {
        Grounded {
            tailnum: tailnum.to_owned(),
            last_seen: last_seen.to_string(),
            grounded_at: (last_seen + PATIENCE).to_string(),
        }
    }
}

/// Watches each aircraft. Flights come up to 22 hours out of order, so every departure is held until its week is over in
/// event time and judged then: by that time all that came before is known. A single "last seen" would be overwritten.
#[derive(Debug)]
pub struct Grounding {
    departures: Map<Timestamp, ()>,
    week: Timer,
    pub(crate) grounded: Output<Grounded>,
}

impl Transform for Grounding {
    type Key = String;

    fn setup(s: &mut Setup<Self>) -> Self {
        Grounding { departures: s.map("departures"), week: s.timer("week"), grounded: s.output("grounded") }
    }

    /// A day more than the timer: a departure counts until the next one, or until the week is over.
    fn horizon() -> Option<Duration> {
        Some(days(8))
    }
}

impl On<Flight> for Grounding {
    fn on(&mut self, flight: &Flight, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        // Without a tail number the key is a flight number, and that is no aircraft.
        if flight.cancelled() || flight.tailnum.is_none() {
            return Ok(());
        }
        let departure = cx.timestamp();
        self.departures.put(cx, &departure, &())?;
        self.week.at(cx, departure + PATIENCE)
    }
}

impl OnTimer for Grounding {
    fn on_timer(&mut self, fired: Fired, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        let departure = fired.at() - PATIENCE;
        // Later departures ask only about what came after them: this one is not needed any more.
        self.departures.remove(cx, &departure)?;
        let back_in_time = self.departures.range(cx, departure..=fired.at())?.next().transpose()?.is_some();
        if back_in_time {
            return Ok(());
        }
        let event = Grounded::since(cx.key(), departure);
        self.grounded.send(cx, &event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_both_times() {
        let event = Grounded::since("N14228", Timestamp::from_millis(1_357_035_420_000));
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"tailnum":"N14228","last_seen":"2013-01-01T10:17:00Z","grounded_at":"2013-01-08T10:17:00Z"}"#
        );
    }
}
