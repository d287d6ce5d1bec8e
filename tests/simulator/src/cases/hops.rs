//! Two repartition topics in a row: what a record carries of event time must survive both.

use headwater_core::{Topology, Tumbling, seconds};

use super::events::{self, Event, Seen, add, sums, windowed};
use super::{Case, Compare, End, Expected, GRACE, Item, WINDOW};
use crate::dice::Dice;

pub struct Hops;

impl Case for Hops {
    fn name(&self) -> &'static str {
        "hops"
    }

    fn topology(&self, t: &mut Topology) {
        let events = t.input::<String, Event>("events").out_of_order(seconds(10));
        let grouped = events.rekey("by-group", |event| event.group.clone());
        grouped.fold("totals", add).to("totals");
        let classes = grouped.rekey("by-class", |event| event.amount % 3);
        classes.window(Tumbling::of(seconds(10)).grace(seconds(2))).fold("class-hits", add).to("class-hits");
        classes.filter(|event| event.amount > 4).fold("class-totals", add).to("class-totals");
    }

    fn inputs(&self) -> &'static [&'static str] {
        &["events"]
    }

    fn feed(&self, dice: &mut Dice, partitions: i32) -> Vec<Item> {
        events::feed(dice, &["events"], partitions)
    }

    fn timed(&self) -> &'static [(&'static str, i64)] {
        &[("class-hits", WINDOW + GRACE)]
    }

    fn expected(&self, _partitions: i32, items: &[Item], _end: &End) -> Vec<Expected> {
        let seen = events::seen(items);
        let class = |one: &Seen<'_>| (one.event.amount % 3).to_be_bytes();
        let hits = |one: &Seen<'_>| (!one.is_late()).then(|| windowed(&class(one), one.window()));
        let totals = |one: &Seen<'_>| (one.event.amount > 4).then(|| class(one).to_vec());
        vec![
            sums("totals", (Compare::Newest, false), &seen, |one| Some(one.event.group.clone().into_bytes())),
            sums("class-hits", (Compare::Newest, true), &seen, hits),
            sums("class-totals", (Compare::Newest, false), &seen, totals),
        ]
    }
}
