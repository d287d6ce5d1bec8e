//! The aircraft that stayed away most often.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::layout::Column::{Left, Right};
use super::layout::{lines, shortened, thousands};
use crate::data::Plane;
use crate::grounding::Grounded;

const ROWS: usize = 7;
const MODEL: usize = 24;

pub(super) fn table(events: &[Grounded], planes: &HashMap<String, Plane>) -> Vec<String> {
    let mut times: BTreeMap<&str, u64> = BTreeMap::new();
    for event in events {
        *times.entry(&event.tailnum).or_default() += 1;
    }
    let mut most: Vec<(&str, u64)> = times.iter().map(|(tailnum, times)| (*tailnum, *times)).collect();
    most.sort_by_key(|(tailnum, times)| (Reverse(*times), *tailnum));
    let rows = most.iter().take(ROWS).map(|(tailnum, times)| {
        let model = planes.get(*tailnum).map(|plane| format!("{} {}", plane.manufacturer, plane.model));
        let model = model.unwrap_or_else(|| "not registered".to_owned());
        vec![tailnum.to_string(), shortened(&model, MODEL), times.to_string()]
    });
    let columns = [Left("Aircraft"), Left("Model"), Right("Times")];
    let mut lines = lines("GROUNDED, away for more than a week", &columns, rows.collect());
    lines.push(format!(" {} times in all, by {} aircraft", thousands(events.len() as u64), thousands(times.len() as u64)));
    lines
}
