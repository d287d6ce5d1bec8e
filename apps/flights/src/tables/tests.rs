use super::*;
use crate::compare::compare;
use crate::oracle::expected;
use crate::outputs::{CARRIERS, GROUNDED, HOURLY};

/// A page of the true results: the oracle's records, as if a run had written them.
fn page() -> String {
    let expected = expected(4).unwrap();
    let mut outputs = Outputs::default();
    for (topic, records) in [
        (HOURLY, expected.hourly.iter().map(|((a, b), v)| (format!("{a} {b}"), v)).collect::<Vec<_>>()),
        (CARRIERS, expected.carriers.iter().map(|(k, v)| (k.clone(), v)).collect()),
        (GROUNDED, expected.grounded.iter().map(|((k, _), v)| (k.clone(), v)).collect()),
    ] {
        for (key, value) in records {
            outputs.add(topic, Some(key.as_bytes()), Some(value.to_string().as_bytes()));
        }
    }
    let comparison = compare(&outputs, &expected);
    let run = Run {
        records_in: 336_792,
        records_out: outputs.records(),
        elapsed: Duration::from_millis(4_200),
        workers: 2,
        place: Place::Embedded,
    };
    render(&Results::new(&outputs), Some(&comparison), &run)
}

#[test]
fn the_page_fits_and_says_what_is_true() {
    let page = page();
    assert!(page.lines().count() <= 45, "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    for part in [
        "328,521 flights left, 8,255 were cancelled",
        "F9  Frontier Airlines Inc.",
        "44,559 times in all",
        "80,188 records/s on 2 workers, exactly once, embedded",
        "21148 of 21148 origin-hours, 16 of 16 carriers, 44559 of 44559 groundings equal",
        "make demo-kafka",
    ] {
        assert!(page.contains(part), "{part:?} is not in\n{page}");
    }
}

#[test]
fn numbers_for_people() {
    assert_eq!(["0", "999", "1,000", "1,234,567"], [0, 999, 1000, 1_234_567].map(thousands).each_ref().map(String::as_str));
    assert_eq!(layout::bar(1.0, 2.0, 3), "█▌");
    assert_eq!(layout::bar(-1.0, 2.0, 3), "");
    assert_eq!(layout::shortened("AIRBUS A320-214", 8), "AIRBUS…");
    assert_eq!(layout::minute("2013-07-01T22:00:00Z"), "2013-07-01 22:00");
}
