//! The hours in which most time was lost.

use std::cmp::Reverse;

use super::layout::Column::{Left, Right};
use super::layout::{lines, minute, thousands};
use crate::hourly::Hourly;

const ROWS: usize = 8;

pub(super) fn table(hourly: &[Hourly]) -> Vec<String> {
    let mut worst: Vec<&Hourly> = hourly.iter().collect();
    worst.sort_by_key(|h| (Reverse(h.dep_delay_sum), &h.window_start, &h.origin));
    let rows = worst.iter().take(ROWS).map(|h| {
        vec![
            h.origin.clone(),
            minute(&h.window_start),
            h.departures.to_string(),
            h.cancelled.to_string(),
            thousands(u64::try_from(h.dep_delay_sum).unwrap_or(0)),
            h.dep_delay_max.map_or_else(String::new, |max| max.to_string()),
        ]
    });
    let columns = [Left("From"), Left("Hour (UTC)"), Right("Left"), Right("Never"), Right("Sum"), Right("Worst")];
    lines("WORST HOURS, by the sum of delays in minutes", &columns, rows.collect())
}
