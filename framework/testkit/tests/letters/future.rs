//! Event times that are further ahead of the append time than the input allows.

use headwater_core::{Policy, Timestamp, Tumbling, Windowed, days, hours, minutes, seconds};
use headwater_testkit::TestDriver;
use std::time::Duration;

use crate::world::header;

/// 2024-01-01T00:00:00Z, as the clocks of the brokers show it.
const NOW: i64 = 1_704_067_200_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(NOW + second * 1000)
}

fn driver(bound: Option<Duration>, policy: Policy) -> TestDriver {
    let driver = TestDriver::new("app", move |t| {
        let visits = t.input::<String, i64>("visits").max_future(bound).on_error(policy);
        // The payload says when it was, in seconds after NOW.
        let visits = visits.timestamp(|second, _| at(*second));
        visits.window(Tumbling::of(seconds(10)).grace(seconds(5))).count("hits").to("hits");
    });
    driver.log().set_date(at(0));
    driver
}

fn visit(driver: &mut TestDriver, second: i64) {
    driver.send("visits", &"k".to_owned(), &second, at(0));
}

fn hits(driver: &mut TestDriver) -> Vec<(i64, u64)> {
    let hits = driver.read::<Windowed<String>, u64>("hits");
    hits.into_iter().map(|out| ((out.key.window.start().as_millis() - NOW) / 1000, out.value)).collect()
}

const YEARS: i64 = 5 * 365 * 86_400;

#[test]
fn one_wrong_date_makes_nothing_late() {
    for policy in [Policy::Skip, Policy::DeadLetter] {
        let mut driver = driver(Some(hours(1)), policy);
        visit(&mut driver, 1);
        visit(&mut driver, YEARS);
        visit(&mut driver, 2);
        driver.restart_without_disk();
        visit(&mut driver, 3);
        assert_eq!(hits(&mut driver), [(0, 1), (0, 2), (0, 3)], "the wrong date closed no window");
        let metadata = driver.log().committed("app", &headwater_core::TopicPartition::new("visits", 0)).unwrap().metadata;
        assert!(!metadata.is_empty());
        let letters = driver.dead_letters();
        assert_eq!(letters.len(), usize::from(policy == Policy::DeadLetter));
        for letter in letters {
            assert_eq!(header(&letter, "__headwater.errors.stage"), "decode");
            let why = header(&letter, "__headwater.errors.message");
            assert!(why.contains("2028-12-30") && why.contains("2024-01-01T01:00:00Z"), "{why}");
        }
    }
}

#[test]
fn the_bound_is_the_append_time_and_moves_with_it() {
    let mut driver = driver(Some(hours(1)), Policy::Skip);
    visit(&mut driver, 3600);
    visit(&mut driver, 3601);
    driver.log().advance(minutes(1));
    visit(&mut driver, 3601);
    visit(&mut driver, 3660);
    visit(&mut driver, 3661);
    assert_eq!(hits(&mut driver), [(3600, 1), (3600, 2), (3660, 1)]);
    assert_eq!(driver.dropped(), [("visits".to_owned(), "too_far_ahead", 2)]);
}

#[test]
fn it_can_be_wider_or_off_and_is_off_in_a_log_without_a_date() {
    let mut wide = driver(Some(days(3650)), Policy::Fail);
    visit(&mut wide, YEARS);
    assert_eq!(hits(&mut wide).len(), 1);
    let mut off = driver(None, Policy::Fail);
    visit(&mut off, 100 * YEARS);
    assert_eq!(hits(&mut off).len(), 1);
    let mut undated = TestDriver::new("app", |t| t.input::<String, i64>("visits").to("copy"));
    undated.send("visits", &"k".to_owned(), &1_i64, at(YEARS));
    assert_eq!(undated.read::<String, i64>("copy").len(), 1);
}

#[test]
#[should_panic(expected = "record at offset 0 of visits-0 is dated too far ahead: its event time is 2024-01-01T02:00:00Z")]
fn by_default_the_application_stops() {
    visit(&mut driver(Some(hours(1)), Policy::Fail), 7200);
}
