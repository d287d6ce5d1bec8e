//! What runs: two inputs, three outputs.

use headwater::{Stream, Topology, Tumbling, hours};

use crate::carriers::{Airline, CarrierTotals, Departure};
use crate::flight::Flight;
use crate::grounding::Grounding;
use crate::hourly::HourlyDelay;

/// Describes the application.
pub fn topology(t: &mut Topology) {
    counting(t, None);
}

/// The application with another idea of an hour's delay: a flight that left early left on time. To see what `backfill --mode diff` makes of it.
pub fn changed(t: &mut Topology) {
    counting(t, Some(|flight| Flight { dep_delay: flight.dep_delay.map(|minutes| minutes.max(0)), ..flight.clone() }));
}

fn counting(t: &mut Topology, counted_as: Option<fn(&Flight) -> Flight>) {
    // Fed by the schedule, stamped with the actual departure: the latest flight of the year left 22 hours late.
    let flights = t.input::<String, Flight>("flights").out_of_order(hours(24));
    let airlines = t.table::<String, Airline>("airlines");

    let by_origin: Stream<String, Flight> = flights.rekey("by-origin", |flight| flight.origin.clone()).into();
    counted_as
        .map_or_else(|| by_origin.clone(), |counted_as| by_origin.map(counted_as))
        .window(Tumbling::of(hours(1)).grace(hours(24)))
        .reduce::<HourlyDelay>("hourly")
        .to("flights.hourly");
    flights
        .rekey("by-carrier", |flight| flight.carrier.clone())
        .join("with-airline", &airlines, Departure::with_name)
        .reduce::<CarrierTotals>("carriers")
        .to("flights.carriers");
    flights.transform::<Grounding>("grounding").output(|grounding| &grounding.grounded).to("flights.grounded");
}

#[cfg(test)]
mod tests {
    use headwater::Blueprint;

    use super::*;

    #[test]
    fn divides_where_the_key_changes() {
        let description = Blueprint::of("flights", topology).unwrap().describe();
        let mut parts: Vec<_> = description.subtopologies.iter().map(|part| part.name.as_str()).collect();
        parts.sort_unstable();
        assert_eq!(parts, ["by-carrier", "by-origin", "flights"]);
    }
}
