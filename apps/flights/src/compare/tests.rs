use serde_json::json;

use super::*;
use crate::outputs::{CARRIERS, GROUNDED, HOURLY};

fn hour(departures: u64) -> Value {
    json!({"origin": "EWR", "window_start": "2013-01-01T10:00:00Z", "departures": departures})
}

fn event() -> Value {
    json!({"tailnum": "N1", "last_seen": "2013-01-01T10:17:00Z", "grounded_at": "2013-01-08T10:17:00Z"})
}

fn expected() -> Expected {
    Expected {
        hourly: BTreeMap::from([(("EWR".into(), "2013-01-01T10:00:00Z".into()), hour(4))]),
        carriers: BTreeMap::from([("UA".into(), json!({"carrier": "UA"}))]),
        grounded: BTreeMap::from([(("N1".into(), "2013-01-01T10:17:00Z".into()), event())]),
    }
}

fn check(records: &[(&str, &str, Value)], shown: &str) -> Comparison {
    let mut outputs = Outputs::default();
    for (topic, key, value) in records {
        outputs.add(topic, Some(key.as_bytes()), Some(value.to_string().as_bytes()));
    }
    let comparison = compare(&outputs, &expected());
    assert_eq!(comparison.to_string(), shown);
    comparison
}

#[test]
fn equal_results_are_equal() {
    let records = [(HOURLY, "a", hour(4)), (CARRIERS, "UA", json!({"carrier": "UA"})), (GROUNDED, "N1", event())];
    let comparison = check(&records, "1 of 1 origin-hours equal\n1 of 1 carriers equal\n1 of 1 groundings equal");
    assert!(comparison.is_equal());
}

#[test]
fn names_what_is_missing_different_or_unexpected() {
    let records = [
        (HOURLY, "a", hour(3)),
        (CARRIERS, "UA", json!({"carrier": "UA", "name": "U"})),
        (CARRIERS, "XX", json!({"carrier": "XX"})),
        (CARRIERS, "??", json!("??")),
    ];
    let comparison = check(
        &records,
        "0 of 1 origin-hours equal\n  \
           different: EWR at 2013-01-01T10:00:00Z: departures 3, expected 4\n\
         0 of 1 carriers equal\n  \
           unreadable: \"??\"\n  \
           different: UA: name \"U\", expected absent\n  \
           unexpected: XX\n\
         0 of 1 groundings equal\n  \
           missing: N1 last seen 2013-01-01T10:17:00Z",
    );
    assert!(!comparison.is_equal());
}

#[test]
fn an_event_written_twice_is_a_difference() {
    let records = [
        (HOURLY, "a", hour(4)),
        (HOURLY, "b", hour(4)),
        (CARRIERS, "UA", json!({"carrier": "UA"})),
        (GROUNDED, "N1", event()),
        (GROUNDED, "N1", event()),
    ];
    check(
        &records,
        "0 of 1 origin-hours equal\n  there 2 times: EWR at 2013-01-01T10:00:00Z\n\
         1 of 1 carriers equal\n\
         0 of 1 groundings equal\n  there 2 times: N1 last seen 2013-01-01T10:17:00Z",
    );
}
