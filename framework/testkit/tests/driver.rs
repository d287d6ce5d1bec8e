//! The engine through the test driver: whole topologies, one behaviour per test.

use std::collections::BTreeMap;

use headwater_core::{
    At, Cx, Failure, Fired, List, Map, On, OnTimer, Output, Policy, Reduce, Setup, Timer, Timestamp, Topology, Transform,
    Tumbling, Value, Windowed, seconds,
};
use headwater_testkit::TestDriver;
use serde::{Deserialize, Serialize};

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

fn key(text: &str) -> String {
    text.to_owned()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    customer: String,
    cents: i64,
}

fn order(customer: &str, cents: i64) -> Order {
    Order { customer: customer.into(), cents }
}

struct Spent;

impl Reduce for Spent {
    type Key = String;
    type Event = Order;
    type State = i64;
    type Out = i64;

    fn reduce(total: &mut i64, order: &Order, _at: &At<'_, String>) -> Option<i64> {
        *total += order.cents;
        Some(*total)
    }
}

fn values<V: Serialize + serde::de::DeserializeOwned>(driver: &mut TestDriver, topic: &str) -> Vec<(String, V)> {
    driver.read::<String, V>(topic).into_iter().map(|out| (out.key, out.value)).collect()
}

#[test]
fn a_running_total_is_emitted_per_update_and_survives_a_restart_with_and_without_its_disk() {
    let mut driver = TestDriver::new("totals", |t| {
        t.input::<String, Order>("orders")
            .rekey("by-customer", |order| order.customer.clone())
            .reduce::<Spent>("spent")
            .to("totals");
    });
    driver.send("orders", &key("1"), &order("ann", 5), at(1));
    driver.send("orders", &key("2"), &order("ann", 7), at(2));
    assert_eq!(values(&mut driver, "totals"), [(key("ann"), 5), (key("ann"), 12)]);
    driver.restart();
    driver.send("orders", &key("3"), &order("ann", 1), at(3));
    assert_eq!(values(&mut driver, "totals"), [(key("ann"), 13)]);
    driver.restart_without_disk();
    assert_eq!(driver.state::<String, i64>("spent", &key("ann")), Some(13));
    driver.send("orders", &key("4"), &order("ann", 1), at(4));
    assert_eq!(values(&mut driver, "totals"), [(key("ann"), 14)]);
}

#[test]
fn stateless_operators_do_what_they_say() {
    let mut driver = TestDriver::new("stateless", |t| {
        let orders = t.input::<String, Order>("orders");
        let refunds = t.input::<String, Order>("refunds").map(|order| Order { cents: -order.cents, ..order.clone() });
        let (large, small) = orders.merge(&refunds).branch(|order| order.cents >= 100);
        large.map_with_key(|key, order| format!("{key}:{}", order.cents)).to("large");
        small.filter(|order| order.cents > 0).flat_map(|order| vec![order.cents; 2]).to("twice");
    });
    driver.send("orders", &key("a"), &order("ann", 100), at(1));
    driver.send("orders", &key("b"), &order("bob", 7), at(2));
    driver.send("refunds", &key("c"), &order("bob", 7), at(3));
    assert_eq!(values::<String>(&mut driver, "large"), [(key("a"), key("a:100"))]);
    assert_eq!(values::<i64>(&mut driver, "twice"), [(key("b"), 7), (key("b"), 7)]);
}

#[test]
fn windows_close_with_event_time_and_late_records_are_counted() {
    let mut driver = TestDriver::new("windows", |t| {
        t.input::<String, Order>("orders")
            .out_of_order(seconds(5))
            .window(Tumbling::of(seconds(10)).grace(seconds(3)))
            .count("hits")
            .to("hits");
    });
    let hits = |driver: &mut TestDriver| {
        driver
            .read::<Windowed<String>, u64>("hits")
            .into_iter()
            .map(|out| (out.key.window.start(), out.value))
            .collect::<Vec<_>>()
    };
    driver.send("orders", &key("a"), &order("ann", 1), at(1));
    driver.send("orders", &key("a"), &order("ann", 1), at(12));
    // The window [0, 10) closes at watermark 13, which is a record at 18.
    driver.send("orders", &key("b"), &order("ann", 1), at(17));
    driver.send("orders", &key("a"), &order("ann", 1), at(9));
    assert_eq!(hits(&mut driver), [(at(0), 1), (at(10), 1), (at(10), 1), (at(0), 2)]);
    driver.send("orders", &key("b"), &order("ann", 1), at(18));
    driver.send("orders", &key("a"), &order("ann", 1), at(9));
    assert_eq!(hits(&mut driver), [(at(10), 2)]);
    assert_eq!(driver.dropped(), [(key("hits"), "late", 1)]);
}

#[test]
fn a_join_sees_the_table_that_was_there_before_also_on_a_cold_start() {
    let mut driver = TestDriver::new("join", |t| {
        let names = t.table::<String, String>("names");
        let orders = t.input::<String, Order>("orders");
        orders.join("named", &names, |order, name| format!("{name}:{}", order.cents)).to("inner");
        orders.left_join("maybe-named", &names, |order, name| format!("{name:?}:{}", order.cents)).to("left");
    });
    driver.send("names", &key("a"), &key("Ann"), at(0));
    driver.send("orders", &key("a"), &order("", 1), at(1));
    driver.send("orders", &key("b"), &order("", 2), at(2));
    driver.send_bytes("names", &key("a"), None, at(3));
    driver.send("orders", &key("a"), &order("", 3), at(4));
    assert_eq!(values::<String>(&mut driver, "inner"), [(key("a"), key("Ann:1"))]);
    let left = [(key("a"), key("Some(\"Ann\"):1")), (key("b"), key("None:2")), (key("a"), key("None:3"))];
    assert_eq!(values::<String>(&mut driver, "left"), left);
    driver.send("names", &key("b"), &key("Bob"), at(5));
    driver.restart_without_disk();
    driver.send("orders", &key("b"), &order("", 4), at(6));
    assert_eq!(values::<String>(&mut driver, "inner"), [(key("b"), key("Bob:4"))]);
}

/// Emits a customer's last order when none followed for ten seconds; keeps the last three; counts.
struct Quiet {
    seen: Value<u64>,
    times: Map<Timestamp, i64>,
    recent: List<i64>,
    ten_seconds: Timer,
    quiet: Output<(i64, u64, Vec<i64>)>,
}

impl Transform for Quiet {
    type Key = String;

    fn setup(s: &mut Setup<Self>) -> Self {
        Quiet {
            seen: s.value("seen"),
            times: s.map("times"),
            recent: s.list("recent"),
            ten_seconds: s.timer("ten-seconds"),
            quiet: s.output("quiet"),
        }
    }
}

impl On<Order> for Quiet {
    fn on(&mut self, order: &Order, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.seen.update(cx, |seen| seen.unwrap_or(0) + 1)?;
        self.recent.push(cx, &order.cents)?;
        if self.recent.len(cx)? > 3 {
            self.recent.pop_front(cx)?;
        }
        if order.cents < 0 {
            return Err(Failure::new("negative amount"));
        }
        if order.cents == 666 {
            panic!("the number of the beast");
        }
        let time = cx.timestamp();
        self.times.put(cx, &time, &order.cents)?;
        self.ten_seconds.at(cx, time + seconds(10))
    }
}

impl OnTimer for Quiet {
    fn on_timer(&mut self, fired: Fired, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        let time = fired.at() - seconds(10);
        let followed = self.times.range(cx, time + std::time::Duration::from_millis(1)..=fired.at())?.next().is_some();
        if let (false, Some(cents)) = (followed, self.times.get(cx, &time)?) {
            let recent = self.recent.iter(cx)?.collect::<Result<Vec<_>, _>>()?;
            let seen = self.seen.get(cx)?.unwrap_or(0);
            self.quiet.send(cx, &(cents, seen, recent))?;
        }
        self.times.remove(cx, &time)
    }
}

fn quiet(t: &mut Topology) {
    let orders = t.input::<String, Order>("orders").out_of_order(seconds(5)).on_error(Policy::Skip);
    orders.transform::<Quiet>("quiet").output(|quiet| &quiet.quiet).to("quiet");
}

#[test]
fn timers_fire_in_event_time_though_records_come_out_of_order() {
    for restart in [false, true] {
        let mut driver = TestDriver::new("quiet", quiet);
        for (second, cents) in [(10, 1), (8, 2), (17, 3), (16, 4)] {
            driver.send("orders", &key("ann"), &order("", cents), at(second));
        }
        assert_eq!(values::<(i64, u64, Vec<i64>)>(&mut driver, "quiet"), []);
        if restart {
            driver.restart_without_disk();
        }
        // Watermark 26: the timers for 18 and 20 find followers, the one for 16+10 finds the order of second 17.
        driver.send("orders", &key("bob"), &order("", 5), at(31));
        assert_eq!(values::<(i64, u64, Vec<i64>)>(&mut driver, "quiet"), []);
        driver.send("orders", &key("bob"), &order("", 6), at(32));
        assert_eq!(values::<(i64, u64, Vec<i64>)>(&mut driver, "quiet"), [(key("ann"), (3, 4, vec![2, 3, 4]))]);
    }
}

#[test]
fn a_failed_record_leaves_nothing_behind() {
    let mut driver = TestDriver::new("failing", quiet);
    driver.send("orders", &key("ann"), &order("", 1), at(1));
    driver.send("orders", &key("ann"), &order("", -1), at(2));
    driver.send("orders", &key("ann"), &order("", 666), at(3));
    driver.send_bytes("orders", &key("ann"), Some(b"{"), at(4));
    driver.send("orders", &key("ann"), &order("", 2), at(5));
    assert_eq!(driver.state::<String, u64>("quiet-seen", &key("ann")), Some(2));
    let dropped: BTreeMap<_, _> = driver.dropped().into_iter().map(|(_, reason, records)| (reason, records)).collect();
    assert_eq!(dropped, BTreeMap::from([("failed", 2), ("undecodable", 1)]));
}

#[test]
#[should_panic(expected = "record at offset 0 of orders-0 cannot be read")]
fn an_undecodable_record_stops_the_application_by_default() {
    let mut driver = TestDriver::new("strict", |t| t.input::<String, Order>("orders").to("copy"));
    driver.send_bytes("orders", &key("a"), Some(b"no json"), at(1));
}

#[test]
fn event_time_crosses_a_repartition_topic_also_to_partitions_that_got_nothing() {
    let mut driver = TestDriver::with_partitions("time", 4, |t| {
        let orders = t.input::<String, Order>("orders");
        let rekeyed = orders.rekey("by-customer", |order| order.customer.clone());
        rekeyed.transform::<Quiet>("quiet").output(|quiet| &quiet.quiet).to("quiet");
    });
    // Every source partition must speak before time can pass anywhere downstream.
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        driver.send("orders", &key(name), &order("ann", 1), at(1));
    }
    driver.send("orders", &key("a"), &order("zoe", 9), at(100));
    assert_eq!(values::<(i64, u64, Vec<i64>)>(&mut driver, "quiet"), []);
    // Silent partitions no longer hold time back when they have been idle for 30 s.
    driver.advance(seconds(1));
    driver.advance(seconds(31));
    let quiet = values::<(i64, u64, Vec<i64>)>(&mut driver, "quiet");
    assert_eq!(quiet.iter().map(|(key, (_, seen, _))| (key.as_str(), *seen)).collect::<Vec<_>>(), [("ann", 8)]);
}

#[test]
fn a_file_is_sent_as_the_records_a_producer_would_write() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("orders.csv");
    std::fs::write(&path, "id,at,customer,cents\n1,1970-01-01T00:00:01Z,ann,5\n2,2000,bob,7\n3,3000,ann,1\n").unwrap();
    let topology = |t: &mut Topology| {
        let orders = t.input::<String, Order>("orders");
        orders.rekey("by-customer", |order| order.customer.clone()).reduce::<Spent>("spent").to("totals");
        orders.to("copies");
    };
    let options = headwater_files::FileOptions::new().key("id").time("at");
    for partitions in [1, 4] {
        let mut driver = TestDriver::with_partitions("app", partitions, topology);
        driver.send_file("orders", &path, &options);
        let mut by_hand = TestDriver::with_partitions("app", partitions, topology);
        for (second, (id, customer, cents)) in [("1", "ann", 5), ("2", "bob", 7), ("3", "ann", 1)].into_iter().enumerate() {
            by_hand.send("orders", &key(id), &order(customer, cents), at(second as i64 + 1));
        }
        assert_eq!(driver.read::<String, Order>("copies"), by_hand.read("copies"), "keys, values, times and partitions");
        let mut totals = values::<i64>(&mut driver, "totals");
        totals.sort();
        assert_eq!(totals, [("ann".into(), 5), ("ann".into(), 6), ("bob".into(), 7)]);
    }
}
