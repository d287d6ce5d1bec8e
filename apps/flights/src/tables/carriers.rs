//! The carriers, the least punctual first.

use super::layout::Column::{Left, Right};
use super::layout::{bar, lines, thousands};
use crate::carriers::Carrier;

const BAR: usize = 20;

pub(super) fn table(carriers: &[Carrier]) -> Vec<String> {
    let mut ranked: Vec<(f64, &Carrier)> = carriers.iter().map(|c| (per_flight(c.dep_delay_sum, c), c)).collect();
    ranked.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.carrier.cmp(&y.carrier)));
    let worst = ranked.first().map_or(0.0, |(mean, _)| *mean);
    let rows = ranked.iter().map(|(mean, c)| {
        let all = (c.flights + c.cancelled).max(1) as f64;
        vec![
            c.carrier.clone(),
            c.name.clone(),
            thousands(c.flights),
            format!("{:.1} %", 100.0 * c.cancelled as f64 / all),
            format!("{:.0}", per_flight(c.distance_sum, c)),
            format!("{mean:.1}"),
            bar(*mean, worst, BAR),
        ]
    });
    let columns =
        [Left(""), Left("Carrier"), Right("Left"), Right("Never"), Right("Miles"), Right("Late, min"), Left("on average")];
    lines("CARRIERS, by mean delay at departure", &columns, rows.collect())
}

fn per_flight(sum: i64, carrier: &Carrier) -> f64 {
    sum as f64 / carrier.flights.max(1) as f64
}
