//! `flights.hourly`: delays per airport and hour.

use headwater::{At, Reduce, Timestamp};
use serde::{Deserialize, Serialize};

use crate::flight::Flight;

/// One hour at one airport, as `flights.hourly` carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hourly {
    /// The airport.
    pub origin: String,
    /// Start of the hour: RFC 3339 in UTC.
    pub window_start: String,
    /// Flights that left in this hour.
    pub departures: u64,
    /// Flights that were to leave in this hour and never did. They count nowhere else.
    pub cancelled: u64,
    /// Minutes of delay, added up over the departures; early departures count as negative.
    pub dep_delay_sum: i64,
    /// The largest delay in minutes; none while there is no departure.
    pub dep_delay_max: Option<i64>,
}

/// Folds an airport's flights into its hours.
#[derive(Debug)]
pub struct HourlyDelay;

impl Reduce for HourlyDelay {
    type Key = String;
    type Event = Flight;
    type State = HourTotals;
    type Out = Hourly;

    fn reduce(totals: &mut HourTotals, flight: &Flight, at: &At<'_, String>) -> Option<Hourly> {
        totals.add(flight);
        Some(totals.hourly(at.key(), at.window()?.start()))
    }
}

/// What is kept per airport and hour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourTotals {
    departures: u64,
    cancelled: u64,
    dep_delay_sum: i64,
    dep_delay_max: Option<i64>,
}

impl HourTotals {
    /// Counts one flight.
    fn add(&mut self, flight: &Flight) {
        if flight.cancelled() {
            self.cancelled += 1;
            return;
        }
        let delay = flight.dep_delay.unwrap_or(0);
        self.departures += 1;
        self.dep_delay_sum += delay;
        self.dep_delay_max = self.dep_delay_max.max(Some(delay));
    }

    /// The totals as a record.
    fn hourly(&self, origin: &str, window_start: Timestamp) -> Hourly {
        Hourly {
            origin: origin.to_owned(),
            window_start: window_start.to_string(),
            departures: self.departures,
            cancelled: self.cancelled,
            dep_delay_sum: self.dep_delay_sum,
            dep_delay_max: self.dep_delay_max,
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater::{Tumbling, hours};

    use super::*;
    use crate::flight::tests::flight;

    fn check(delays: &[Option<i64>], json: &str) {
        let mut totals = HourTotals::default();
        let mut last = None;
        for flight in delays.iter().map(|delay| flight(*delay)) {
            let at = flight.actual().unwrap();
            let window = Tumbling::of(hours(1)).window_of(at);
            last = HourlyDelay::reduce(&mut totals, &flight, &At::new(&flight.origin, Some(window), at));
        }
        assert_eq!(serde_json::to_string(&last.unwrap()).unwrap(), json);
    }

    #[test]
    fn a_cancelled_flight_counts_only_as_cancelled() {
        check(
            &[None],
            r#"{"origin":"EWR","window_start":"2013-01-01T10:00:00Z","departures":0,"cancelled":1,"dep_delay_sum":0,"dep_delay_max":null}"#,
        );
        check(
            &[Some(-3), None, Some(-5)],
            r#"{"origin":"EWR","window_start":"2013-01-01T10:00:00Z","departures":2,"cancelled":1,"dep_delay_sum":-8,"dep_delay_max":-3}"#,
        );
    }
}
