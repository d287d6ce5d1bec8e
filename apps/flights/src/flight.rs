//! One flight, as the topic `flights` carries it.

use headwater::{Timestamp, minutes};
use serde::{Deserialize, Serialize};

/// A row of the CSV: the JSON has the CSV's column names, numbers as numbers and `NA` as null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flight {
    /// Year of scheduled departure, New York time, as are `month` and `day`.
    pub year: i32,
    /// Month of scheduled departure.
    pub month: i32,
    /// Day of scheduled departure.
    pub day: i32,
    /// Actual departure as a clock shows it in New York (`517` is 5:17); none if the flight was cancelled.
    pub dep_time: Option<i32>,
    /// Scheduled departure as a clock shows it in New York.
    pub sched_dep_time: i32,
    /// Minutes late; negative when early; none if the flight was cancelled.
    pub dep_delay: Option<i64>,
    /// Actual arrival, local time at the destination.
    pub arr_time: Option<i32>,
    /// Scheduled arrival, local time at the destination.
    pub sched_arr_time: i32,
    /// Minutes late at the destination.
    pub arr_delay: Option<i64>,
    /// Two-letter carrier code, the key of `airlines`.
    pub carrier: String,
    /// Flight number.
    pub flight: i32,
    /// The aircraft's tail number, where it is known.
    pub tailnum: Option<String>,
    /// Airport of departure: EWR, JFK or LGA.
    pub origin: String,
    /// Airport of arrival.
    pub dest: String,
    /// Minutes in the air.
    pub air_time: Option<i64>,
    /// Miles between the airports.
    pub distance: i64,
    /// Hour of scheduled departure, New York time.
    pub hour: i32,
    /// Minute of scheduled departure.
    pub minute: i32,
    /// The hour of scheduled departure as a point in time, RFC 3339 in UTC.
    pub time_hour: String,
}

impl Flight {
    /// Whether the flight never left.
    pub fn cancelled(&self) -> bool {
        self.dep_time.is_none()
    }

    /// When the flight was to leave: `time_hour` and `minute`. None if `time_hour` is not a point in time.
    pub fn scheduled(&self) -> Option<Timestamp> {
        let hour: jiff::Timestamp = self.time_hour.parse().ok()?;
        Some(Timestamp::from_millis(hour.as_millisecond()) + minutes(u64::try_from(self.minute).ok()?))
    }

    /// When the flight left, or was to leave if it was cancelled. This is the record's timestamp.
    pub fn actual(&self) -> Option<Timestamp> {
        let scheduled = self.scheduled()?;
        let delay = if self.cancelled() { 0 } else { self.dep_delay.unwrap_or(0) };
        Some(Timestamp::from_millis(scheduled.as_millis() + delay * 60_000))
    }

    /// The record's key: the aircraft, or carrier and flight number (`UA1545`) where the tail number is missing.
    pub fn key(&self) -> String {
        match &self.tailnum {
            Some(tailnum) => tailnum.clone(),
            None => format!("{}{}", self.carrier, self.flight),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// UA 1545, scheduled for 10:15 UTC, `delay` minutes late; cancelled if there is none.
    pub(crate) fn flight(delay: Option<i64>) -> Flight {
        Flight {
            year: 2013,
            month: 1,
            day: 1,
            dep_time: delay.map(|_| 517),
            sched_dep_time: 515,
            dep_delay: delay,
            arr_time: None,
            sched_arr_time: 819,
            arr_delay: None,
            carrier: "UA".into(),
            flight: 1545,
            tailnum: Some("N14228".into()),
            origin: "EWR".into(),
            dest: "IAH".into(),
            air_time: None,
            distance: 1400,
            hour: 5,
            minute: 15,
            time_hour: "2013-01-01T10:00:00Z".into(),
        }
    }

    fn check_times(delay: Option<i64>, actual: &str) {
        let flight = flight(delay);
        assert_eq!(flight.scheduled().map(|t| t.to_string()).as_deref(), Some("2013-01-01T10:15:00Z"));
        assert_eq!(flight.actual().map(|t| t.to_string()).as_deref(), Some(actual));
    }

    #[test]
    fn departs_when_the_delay_says() {
        check_times(Some(2), "2013-01-01T10:17:00Z");
        check_times(Some(-16), "2013-01-01T09:59:00Z");
        check_times(None, "2013-01-01T10:15:00Z");
    }

    #[test]
    fn a_bad_time_is_no_time() {
        assert_eq!(Flight { time_hour: "yesterday".into(), ..flight(None) }.actual(), None);
    }

    #[test]
    fn the_aircraft_is_the_key_where_it_is_known() {
        assert_eq!(flight(None).key(), "N14228");
        assert_eq!(Flight { tailnum: None, ..flight(None) }.key(), "UA1545");
    }
}
