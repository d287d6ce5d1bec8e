//! The expected results, computed straight from the CSV: no topic, no stream, no state, and no code of the application
//! or the framework. Only [`partition_for`] is shared, because which records lie together decides how far event time
//! gets in each partition.
//!
//! Times are minutes since the epoch here: the data knows nothing finer.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use headwater::partition_for;
use serde_json::{Value, json};

use crate::data::{DataError, airlines_csv, flights_csv};

const DAY: i64 = 24 * 60;

/// What a run over the whole data must have written.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The last record of each hour at each airport, by airport and start of the hour.
    pub hourly: BTreeMap<(String, String), Value>,
    /// The last record of each carrier.
    pub carriers: BTreeMap<String, Value>,
    /// Every aircraft that stayed away, by aircraft and last departure.
    pub grounded: BTreeMap<(String, String), Value>,
}

/// Computes the results for an input topic of `partitions` partitions: their number matters to the last days only.
pub fn expected(partitions: i32) -> Result<Expected, DataError> {
    let rows = rows()?;
    Ok(Expected { hourly: hourly(&rows), carriers: carriers(&rows)?, grounded: grounded(&rows, partitions) })
}

struct Row {
    carrier: String,
    flight: String,
    tailnum: Option<String>,
    origin: String,
    distance: i64,
    /// None if the flight was cancelled.
    delay: Option<i64>,
    /// Actual departure, or the scheduled one if the flight was cancelled.
    minute: i64,
}

fn rows() -> Result<Vec<Row>, DataError> {
    let wrong = |message: String| DataError { file: "flights.csv.gz", message };
    let text = flights_csv()?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| wrong(e.to_string()))?.clone();
    let column = |name: &str| header.iter().position(|h| h == name).ok_or_else(|| wrong(format!("no column {name}")));
    let [carrier, flight, tailnum, origin] = [column("carrier")?, column("flight")?, column("tailnum")?, column("origin")?];
    let [distance, dep_time, dep_delay] = [column("distance")?, column("dep_time")?, column("dep_delay")?];
    let [time_hour, minute] = [column("time_hour")?, column("minute")?];

    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| wrong(e.to_string()))?;
        let number = |i: usize| record[i].parse::<i64>().map_err(|e| wrong(format!("{:?}: {e}", &record[i])));
        let hour: jiff::Timestamp = record[time_hour].parse().map_err(|e: jiff::Error| wrong(e.to_string()))?;
        let delay = if &record[dep_time] == "NA" { None } else { Some(number(dep_delay)?) };
        rows.push(Row {
            carrier: record[carrier].to_owned(),
            flight: record[flight].to_owned(),
            tailnum: Some(record[tailnum].to_owned()).filter(|t| t != "NA"),
            origin: record[origin].to_owned(),
            distance: number(distance)?,
            delay,
            minute: hour.as_second() / 60 + number(minute)? + delay.unwrap_or(0),
        });
    }
    Ok(rows)
}

fn rfc3339(minute: i64) -> String {
    jiff::Timestamp::from_second(minute * 60).map_or_else(|e| e.to_string(), |t| t.to_string())
}

fn hourly(rows: &[Row]) -> BTreeMap<(String, String), Value> {
    let mut hours: BTreeMap<(&str, i64), Vec<Option<i64>>> = BTreeMap::new();
    for row in rows {
        hours.entry((&row.origin, row.minute - row.minute % 60)).or_default().push(row.delay);
    }
    let mut results = BTreeMap::new();
    for ((origin, start), flights) in hours {
        let delays: Vec<i64> = flights.iter().flatten().copied().collect();
        let result = json!({
            "origin": origin,
            "window_start": rfc3339(start),
            "departures": delays.len(),
            "cancelled": flights.len() - delays.len(),
            "dep_delay_sum": delays.iter().sum::<i64>(),
            "dep_delay_max": delays.iter().max(),
        });
        results.insert((origin.to_owned(), rfc3339(start)), result);
    }
    results
}

/// `flights`, `dep_delay_sum` and `distance_sum` are over the flights that left; the others count as `cancelled` only.
fn carriers(rows: &[Row]) -> Result<BTreeMap<String, Value>, DataError> {
    let mut results = BTreeMap::new();
    for airline in csv::Reader::from_reader(airlines_csv().as_bytes()).records() {
        let airline = airline.map_err(|e| DataError { file: "airlines.csv", message: e.to_string() })?;
        let all = || rows.iter().filter(|row| row.carrier == airline[0]);
        let left = || all().filter(|row| row.delay.is_some());
        let result = json!({
            "carrier": &airline[0],
            "name": &airline[1],
            "flights": all().count(),
            "cancelled": all().count() - left().count(),
            "dep_delay_sum": left().filter_map(|row| row.delay).sum::<i64>(),
            "distance_sum": all().map(|row| row.distance).sum::<i64>(),
        });
        results.insert(airline[0].to_owned(), result);
    }
    Ok(results)
}

/// An event is expected where a week passed after a departure without another, as far as the partition's event time
/// got: its newest record, less the 24 hours by which the input may be out of order.
fn grounded(rows: &[Row], partitions: i32) -> BTreeMap<(String, String), Value> {
    let mut reached: HashMap<i32, i64> = HashMap::new();
    let mut departures: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for row in rows {
        let key = row.tailnum.clone().unwrap_or_else(|| format!("{}{}", row.carrier, row.flight));
        let newest = reached.entry(partition_for(Some(key.as_bytes()), partitions, 0)).or_insert(row.minute);
        *newest = row.minute.max(*newest);
        if let (Some(tailnum), Some(_)) = (&row.tailnum, row.delay) {
            departures.entry(tailnum).or_default().insert(row.minute);
        }
    }
    let mut events = BTreeMap::new();
    for (tailnum, times) in departures {
        let watermark = reached[&partition_for(Some(tailnum.as_bytes()), partitions, 0)] - DAY;
        let following = times.iter().skip(1).map(Some).chain([None]);
        for (last_seen, next) in times.iter().zip(following) {
            let grounded_at = last_seen + 7 * DAY;
            if next.is_none_or(|next| *next > grounded_at) && grounded_at <= watermark {
                let (last_seen, grounded_at) = (rfc3339(*last_seen), rfc3339(grounded_at));
                let event = json!({ "tailnum": tailnum, "last_seen": &last_seen, "grounded_at": grounded_at });
                events.insert((tailnum.to_owned(), last_seen), event);
            }
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum<'a>(records: impl Iterator<Item = &'a Value>, field: &str) -> i64 {
        records.map(|record| record[field].as_i64().unwrap()).sum()
    }

    #[test]
    fn the_figures_known_of_the_data() {
        let expected = expected(4).unwrap();
        assert_eq!(expected.hourly.len(), 21_148);
        assert_eq!(sum(expected.hourly.values(), "departures"), 328_521);
        assert_eq!(sum(expected.hourly.values(), "cancelled"), 8255);
        assert_eq!(expected.carriers.len(), 16);
        assert_eq!(sum(expected.carriers.values(), "flights"), 336_776);
        assert_eq!(sum(expected.carriers.values(), "cancelled"), 8255);
        assert_eq!(sum(expected.carriers.values(), "dep_delay_sum"), sum(expected.hourly.values(), "dep_delay_sum"),);
        assert_eq!(expected.grounded.len(), 44_559);
    }

    #[test]
    fn partitions_matter_to_the_last_days_only() {
        let [one, eight] = [1, 8].map(|partitions| expected(partitions).unwrap());
        assert_eq!((one.grounded.len(), eight.grounded.len()), (44_559, 44_558));
        assert_eq!(one.hourly, eight.hourly);
    }

    fn row(tailnum: &str, minute: i64, delay: Option<i64>) -> Row {
        let tailnum = Some(tailnum.to_owned()).filter(|t| t != "NA");
        Row { carrier: "UA".into(), flight: "1".into(), tailnum, origin: "EWR".into(), distance: 1, delay, minute }
    }

    fn check_grounded(rows: &[Row], last_seen: &[i64]) {
        let found: Vec<String> = grounded(rows, 1).into_keys().map(|(_, last_seen)| last_seen).collect();
        assert_eq!(found, last_seen.iter().map(|m| rfc3339(*m)).collect::<Vec<_>>());
    }

    #[test]
    fn a_week_is_not_more_than_a_week() {
        let (week, end) = (7 * DAY, 30 * DAY);
        let clock = || row("NA", end, Some(0));
        check_grounded(&[row("A", 0, Some(0)), row("A", week, Some(0)), clock()], &[week]);
        check_grounded(&[row("A", 0, Some(0)), row("A", week + 1, Some(0)), clock()], &[0, week + 1]);
        check_grounded(&[row("A", 0, Some(0)), row("A", week, None), clock()], &[0]);
    }

    #[test]
    fn the_end_of_the_input_does_not_advance_time() {
        let (week, day) = (7 * DAY, DAY);
        check_grounded(&[row("A", 0, Some(0)), row("NA", week + day, None)], &[0]);
        check_grounded(&[row("A", 0, Some(0)), row("NA", week + day - 1, None)], &[]);
    }
}
