//! The records that come with the binary: `data/` of this package, compiled in, so that nothing has to be found at run time.

use std::collections::HashMap;
use std::io::Read;

use csv::StringRecord;
use flate2::read::GzDecoder;
use headwater::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::carriers::Airline;
use crate::flight::Flight;

static FLIGHTS: &[u8] = include_bytes!("../data/flights.csv.gz");
static AIRLINES: &str = include_str!("../data/airlines.csv");
static PLANES: &[u8] = include_bytes!("../data/planes.csv.gz");

/// The data in the binary cannot be read: the files in `data/` were changed before it was built.
#[derive(Debug, Error)]
#[error("{file}: {message}")]
pub struct DataError {
    /// The file in `data/`.
    pub file: &'static str,
    /// What is wrong with it, and where.
    pub message: String,
}

/// A flight with the timestamp of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departing {
    /// The record's value.
    pub flight: Flight,
    /// The record's timestamp: [`Flight::actual`].
    pub at: Timestamp,
}

/// All flights, in the order an airline's system would report them: by scheduled departure, then by row.
pub fn flights() -> Result<Vec<Departing>, DataError> {
    let mut by_schedule = Vec::new();
    for flight in parse::<Flight>("flights.csv.gz", &flights_csv()?)? {
        let (Some(scheduled), Some(at)) = (flight.scheduled(), flight.actual()) else {
            return Err(DataError { file: "flights.csv.gz", message: format!("time_hour {:?} is no time", flight.time_hour) });
        };
        by_schedule.push((scheduled, Departing { flight, at }));
    }
    by_schedule.sort_by_key(|(scheduled, _)| *scheduled);
    Ok(by_schedule.into_iter().map(|(_, departing)| departing).collect())
}

/// The carriers' names.
pub fn airlines() -> Result<Vec<Airline>, DataError> {
    parse("airlines.csv", AIRLINES)
}

/// An aircraft, as far as it is registered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Plane {
    /// Its tail number.
    pub tailnum: String,
    /// Who built it.
    pub manufacturer: String,
    /// Which model it is.
    pub model: String,
}

/// The registered aircraft, by tail number: most of those that flew.
pub fn planes() -> Result<HashMap<String, Plane>, DataError> {
    let planes: Vec<Plane> = parse("planes.csv.gz", &unpack("planes.csv.gz", PLANES)?)?;
    Ok(planes.into_iter().map(|plane| (plane.tailnum.clone(), plane)).collect())
}

/// The flights as the CSV has them.
pub fn flights_csv() -> Result<String, DataError> {
    unpack("flights.csv.gz", FLIGHTS)
}

/// The carriers' names as the CSV has them.
pub fn airlines_csv() -> &'static str {
    AIRLINES
}

fn unpack(file: &'static str, bytes: &[u8]) -> Result<String, DataError> {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).map_err(|e| DataError { file, message: e.to_string() })?;
    Ok(text)
}

/// Rows by their column names. `NA` becomes an empty field, which `csv` reads as none.
fn parse<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<Vec<T>, DataError> {
    let wrong = |e: csv::Error| DataError { file, message: e.to_string() };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().map_err(wrong)?.clone();
    let mut rows = Vec::new();
    let mut row = StringRecord::new();
    while reader.read_record(&mut row).map_err(wrong)? {
        if row.iter().any(|field| field == "NA") {
            let position = row.position().cloned();
            row = row.iter().map(|field| if field == "NA" { "" } else { field }).collect();
            row.set_position(position);
        }
        rows.push(row.deserialize(Some(&columns)).map_err(wrong)?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_there_in_the_order_of_the_schedule() {
        let flights = flights().unwrap();
        assert_eq!(flights.len(), 336_776);
        assert_eq!(flights.iter().filter(|d| d.flight.cancelled()).count(), 8255);
        assert!(flights.is_sorted_by_key(|d| d.flight.scheduled()));
        assert_eq!(flights[0].flight.key(), "N14228");
        assert_eq!(flights[0].at.to_string(), "2013-01-01T10:17:00Z");
    }

    #[test]
    fn out_of_order_by_less_than_the_bound() {
        let mut newest = Timestamp::MIN;
        let mut furthest = 0;
        for Departing { at, .. } in flights().unwrap() {
            newest = newest.max(at);
            furthest = furthest.max(newest.as_millis() - at.as_millis());
        }
        let hours = furthest as f64 / 3_600_000.0;
        assert!((20.0..24.0).contains(&hours), "{hours} h");
    }

    #[test]
    fn a_row_keeps_numbers_and_missing_values() {
        let flights = flights().unwrap();
        let missing = flights.iter().find(|d| d.flight.tailnum.is_none()).unwrap();
        assert_eq!(
            serde_json::to_string(&missing.flight).unwrap(),
            concat!(
                r#"{"year":2013,"month":1,"day":2,"dep_time":null,"sched_dep_time":1545,"dep_delay":null,"arr_time":null,"#,
                r#""sched_arr_time":1910,"arr_delay":null,"carrier":"AA","flight":133,"tailnum":null,"origin":"JFK","dest":"LAX","#,
                r#""air_time":null,"distance":2475,"hour":15,"minute":45,"time_hour":"2013-01-02T20:00:00Z"}"#
            )
        );
        let again: Flight = serde_json::from_str(&serde_json::to_string(&missing.flight).unwrap()).unwrap();
        assert_eq!(again, missing.flight);
    }

    #[test]
    fn names_every_carrier() {
        let airlines = airlines().unwrap();
        assert_eq!(airlines.len(), 16);
        assert_eq!(airlines[0], Airline { carrier: "9E".into(), name: "Endeavor Air Inc.".into() });
    }

    #[test]
    fn knows_aircraft() {
        let planes = planes().unwrap();
        assert_eq!(planes.len(), 3322);
        assert_eq!(planes["N10156"].model, "EMB-145XR");
    }

    #[test]
    fn says_where_the_data_is_wrong() {
        let wrong = parse::<Airline>("airlines.csv", "carrier,name\nUA\n").unwrap_err();
        assert!(wrong.to_string().contains("line: 2"), "{wrong}");
    }
}
