//! Timers of one transform, several of them and in big steps of event time.

use headwater_core::{Cx, Failure, Fired, On, OnTimer, Output, Setup, Timer, Timestamp, Topology, Transform, Tumbling, seconds};
use headwater_testkit::TestDriver;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

/// An event `n` sets `first` at n and `last` at 9 s; where `first` fires for key "a" it sets `between` at 7 s and itself at 8 s.
struct Three {
    first: Timer,
    between: Timer,
    last: Timer,
    fired: Output<String>,
}

impl Transform for Three {
    type Key = String;

    fn setup(s: &mut Setup<Self>) -> Self {
        Three { first: s.timer("first"), between: s.timer("between"), last: s.timer("last"), fired: s.output("fired") }
    }
}

impl On<i64> for Three {
    fn on(&mut self, second: &i64, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        if *second < 5 {
            return Ok(());
        }
        self.first.at(cx, at(*second))?;
        self.last.at(cx, at(9))
    }
}

impl OnTimer for Three {
    fn on_timer(&mut self, fired: Fired, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        if fired.by(&self.first) && fired.at() == at(5) && cx.key() == "a" {
            self.between.at(cx, at(7))?;
            self.first.at(cx, at(8))?;
        }
        let name = if fired.by(&self.first) {
            "first"
        } else if fired.by(&self.between) {
            "between"
        } else {
            "last"
        };
        let text = format!("{name} {}", fired.at().as_millis() / 1000);
        self.fired.send(cx, &text)
    }
}

fn three(t: &mut Topology) {
    let events = t.input::<String, i64>("events");
    events.transform::<Three>("three").output(|three| &three.fired).to("fired");
}

fn fired(driver: &mut TestDriver) -> Vec<String> {
    driver.read::<String, String>("fired").into_iter().map(|out| format!("{} {}", out.key, out.value)).collect()
}

const ALL: [&str; 6] = ["a first 5", "b first 5", "a between 7", "a first 8", "a last 9", "b last 9"];

#[test]
fn timers_fire_in_order_of_time_however_far_event_time_comes_at_once() {
    for step in [1, 100] {
        let mut driver = TestDriver::new("app", three);
        driver.send("events", &"a".to_owned(), &5, at(1));
        driver.send("events", &"b".to_owned(), &5, at(1));
        for second in (1..=101).step_by(step) {
            driver.send("events", &"c".to_owned(), &0, at(second));
        }
        assert_eq!(fired(&mut driver), ALL, "steps of {step} s");
    }
}

#[test]
fn what_a_handler_sets_is_not_lost_when_other_keys_are_due_with_it() {
    let mut driver = TestDriver::new("app", three);
    driver.send("events", &"a".to_owned(), &5, at(1));
    driver.send("events", &"b".to_owned(), &5, at(1));
    driver.send("events", &"c".to_owned(), &0, at(100));
    assert!(fired(&mut driver).contains(&"a first 8".to_owned()));
}

#[test]
fn several_stores_without_anything_due_cost_no_time() {
    let mut driver = TestDriver::new("app", |t| {
        three(t);
        t.input::<String, i64>("others").window(Tumbling::of(seconds(10))).count("a").to("counts");
    });
    driver.send("events", &"c".to_owned(), &0, at(1));
    // A million days.
    driver.send("events", &"c".to_owned(), &0, at(86_400_000_000));
    driver.restart();
    driver.send("events", &"c".to_owned(), &0, at(86_400_000_001));
    assert_eq!(fired(&mut driver), [""; 0]);
}
