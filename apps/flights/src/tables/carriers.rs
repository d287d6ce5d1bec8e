//! The carriers, the least punctual first.

use super::layout::Column::{Left, Right};
use super::layout::{bar, lines, thousands};
use crate::carriers::Carrier;

const BAR: usize = 20;

pub(super) fn table(carriers: &[Carrier]) -> Vec<String> {
    let mut ranked: Vec<(f64, &Carrier)> = carriers.iter().map(|c| (mean(c.dep_delay_sum, left(c)), c)).collect();
    ranked.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.carrier.cmp(&y.carrier)));
    let worst = ranked.first().map_or(0.0, |(late, _)| *late);
    let rows = ranked.iter().map(|(late, c)| {
        let all = c.flights.max(1) as f64;
        vec![
            c.carrier.clone(),
            c.name.clone(),
            thousands(left(c)),
            format!("{:.1} %", 100.0 * c.cancelled as f64 / all),
            format!("{:.0}", mean(c.distance_sum, c.flights)),
            format!("{late:.1}"),
            bar(*late, worst, BAR),
        ]
    });
    let columns =
        [Left(""), Left("Carrier"), Right("Left"), Right("Never"), Right("Miles"), Right("Late, min"), Left("on average")];
    lines("CARRIERS, by mean delay at departure", &columns, rows.collect())
}

fn left(carrier: &Carrier) -> u64 {
    carrier.flights - carrier.cancelled
}

fn mean(sum: i64, of: u64) -> f64 {
    sum as f64 / of.max(1) as f64
}
