//! `flights.carriers`: totals per carrier, with its name.

use headwater::{At, Reduce};
use serde::{Deserialize, Serialize};

use crate::flight::Flight;

/// A carrier's name, as the table topic `airlines` carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Airline {
    /// Two-letter code.
    pub carrier: String,
    /// Full name.
    pub name: String,
}

/// What a flight adds to its carrier's totals, joined with the carrier's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// The carrier's full name.
    pub name: String,
    /// Minutes late; none if the flight was cancelled.
    pub dep_delay: Option<i64>,
    /// Miles between the airports.
    pub distance: i64,
}

impl Departure {
    /// The flight with its carrier's name.
    pub fn with_name(flight: &Flight, airline: &Airline) -> Departure {
        let dep_delay = if flight.cancelled() { None } else { Some(flight.dep_delay.unwrap_or(0)) };
        Departure { name: airline.name.clone(), dep_delay, distance: flight.distance }
    }
}

/// One carrier's year so far, as `flights.carriers` carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carrier {
    /// Two-letter code.
    pub carrier: String,
    /// Full name.
    pub name: String,
    /// All its flights, the cancelled ones included.
    pub flights: u64,
    /// Those among them that never left.
    pub cancelled: u64,
    /// Minutes of delay, added up over the flights that left.
    pub dep_delay_sum: i64,
    /// Miles between the airports, added up over all flights.
    pub distance_sum: i64,
}

/// Folds a carrier's flights into its totals.
#[derive(Debug)]
pub struct CarrierTotals;

impl Reduce for CarrierTotals {
    type Key = String;
    type Event = Departure;
    type State = CarrierSums;
    type Out = Carrier;

    fn reduce(sums: &mut CarrierSums, departure: &Departure, at: &At<'_, String>) -> Option<Carrier> {
        sums.add(departure);
        Some(sums.carrier(at.key(), &departure.name))
    }
}

/// What is kept per carrier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarrierSums {
    flights: u64,
    cancelled: u64,
    dep_delay_sum: i64,
    distance_sum: i64,
}

impl CarrierSums {
    /// Counts one flight.
    fn add(&mut self, departure: &Departure) {
        self.flights += 1;
        self.distance_sum += departure.distance;
        match departure.dep_delay {
            None => self.cancelled += 1,
            Some(delay) => self.dep_delay_sum += delay,
        }
    }

    /// The totals as a record.
    fn carrier(&self, carrier: &str, name: &str) -> Carrier {
        Carrier {
            carrier: carrier.to_owned(),
            name: name.to_owned(),
            flights: self.flights,
            cancelled: self.cancelled,
            dep_delay_sum: self.dep_delay_sum,
            distance_sum: self.distance_sum,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flight::tests::flight;

    #[test]
    fn delays_are_of_the_flights_that_left() {
        let airline = Airline { carrier: "UA".into(), name: "United Air Lines Inc.".into() };
        let mut sums = CarrierSums::default();
        let mut last = None;
        for flight in [Some(2), None, Some(-4)].map(flight) {
            let at = At::new(&flight.carrier, None, flight.actual().unwrap());
            last = CarrierTotals::reduce(&mut sums, &Departure::with_name(&flight, &airline), &at);
        }
        assert_eq!(
            serde_json::to_string(&last.unwrap()).unwrap(),
            r#"{"carrier":"UA","name":"United Air Lines Inc.","flights":3,"cancelled":1,"dep_delay_sum":-2,"distance_sum":4200}"#
        );
    }
}
