use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    Blueprint, Codec, CodecError, Cx, Failure, Fired, Map, On, OnTimer, Setup, Stream, Timer, Topology, Transform, Tumbling,
    Value,
};

mod v2 {
    #[derive(serde::Serialize, serde::Deserialize, Default)]
    pub struct Sum(pub u64);
}

#[derive(Serialize, Deserialize, Default)]
struct Total(u64);

struct Watch<M> {
    _seen: Map<M, u64>,
    _since: Value<Total>,
    _wake: Timer,
}

impl<M: crate::SortKey> Transform for Watch<M> {
    type Key = String;
    fn setup(s: &mut Setup<Self>) -> Self {
        Watch { _seen: s.map("seen"), _since: s.value("since"), _wake: s.timer("wake") }
    }
}

impl<M: crate::SortKey> On<u64> for Watch<M> {
    fn on(&mut self, _event: &u64, _cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        Ok(())
    }
}

impl<M: crate::SortKey> OnTimer for Watch<M> {
    fn on_timer(&mut self, _fired: Fired, _cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        Ok(())
    }
}

fn events(t: &mut Topology) -> Stream<String, u64> {
    t.input::<String, u64>("events").filter(|_| true)
}

const HOUR: Duration = Duration::from_secs(3600);

/// A store of each kind.
fn base(t: &mut Topology) {
    let names = t.table::<String, String>("names");
    let events = events(t);
    events.transform::<Watch<i64>>("watch");
    events.join("named", &names, |event, _| *event).to("out");
    let by = events.rekey("by", |event| *event as i64);
    by.fold("total", |total: &mut Total, event, _| {
        total.0 += event;
        Some(1_u64)
    });
    by.window(Tumbling::of(HOUR).grace(HOUR)).count("hourly").to("hourly-out");
}

fn manifest(topology: fn(&mut Topology), partitions: i32) -> Manifest {
    let blueprint = Blueprint::of("app", topology).unwrap();
    let counts = blueprint.input_topics().into_iter().map(|topic| (topic, partitions)).collect();
    blueprint.plan(&counts).unwrap().manifest()
}

/// Differences from `base` on 3 partitions, one line each: verdict, change.
#[track_caller]
fn check(topology: fn(&mut Topology), expected: &[&str]) {
    let changes = manifest(base, 3).changes_to(&manifest(topology, 3));
    let lines: Vec<String> = changes.iter().map(|change| format!("{:?} {}: {change}", change.verdict, change.name)).collect();
    assert_eq!(lines, expected);
}

/// `base` with parts replaced.
fn variant(t: &mut Topology, hour: Duration, fold: &str, extra: impl FnOnce(&Stream<String, u64>, &Stream<i64, u64>)) {
    let names = t.table::<String, String>("names");
    let events = events(t);
    events.transform::<Watch<i64>>("watch");
    events.join("named", &names, |event, _| *event).to("out");
    let by = events.rekey("by", |event| *event as i64);
    by.fold(fold, |total: &mut Total, event, _| {
        total.0 += event;
        Some(1_u64)
    });
    by.window(Tumbling::of(hour).grace(HOUR)).count("hourly").to("hourly-out");
    extra(&events, &by);
}

#[test]
fn order_and_stateless_operators_change_nothing() {
    check(base, &[]);
    check(
        |t| {
            let events = events(t).map(|event| *event).filter(|event| *event > 7);
            let by = events.rekey("by", |event| *event as i64);
            by.window(Tumbling::of(HOUR).grace(HOUR)).count("hourly").to("hourly-out");
            by.fold("total", |_: &mut Total, _, _| None::<()>);
            let names = t.table::<String, String>("names");
            events.flat_map(|event| Some(*event)).join("named", &names, |event, _| *event).to("out");
            events.transform::<Watch<i64>>("watch");
        },
        &[],
    );
}

/// State directories are named by sub-topologies.
#[test]
fn sub_topologies_keep_their_names_when_lines_change_places() {
    let names = |topology: fn(&mut Topology)| -> Vec<String> {
        let description = Blueprint::of("app", topology).unwrap().describe();
        let mut names: Vec<String> = description.subtopologies.into_iter().map(|part| part.name).collect();
        names.sort();
        names
    };
    let one = names(|t| {
        let a = t.input::<String, u64>("a");
        let b = t.input::<String, u64>("b");
        b.merge(&a).rekey("z", |event| *event).count("n");
    });
    let other = names(|t| {
        let b = t.input::<String, u64>("b");
        let a = t.input::<String, u64>("a");
        b.merge(&a).rekey("z", |event| *event).count("n");
    });
    assert_eq!((&one, one.as_slice()), (&other, &["a".to_owned(), "z".to_owned()][..]));
}

#[test]
fn what_is_added_is_compatible() {
    check(
        |t| {
            variant(t, HOUR, "total", |events, _| events.count("seen").to("seen-out"));
            t.input::<String, u64>("more").to("out");
        },
        &[
            r#"Compatible seen: store "seen" of operator "seen": was not in the topology, is now a fold store"#,
            r#"Compatible more: input "more": was not in the topology, is now read"#,
            r#"Compatible seen: operator "seen": was not in the topology, is now reduce"#,
        ],
    );
}

#[test]
fn a_renamed_store_is_recognised() {
    check(
        |t| variant(t, HOUR, "sum", |_, _| ()),
        &[
            r#"NeedsConsent total: store "total" of operator "total": was a fold store, is now not in the topology (renamed to "sum", which would start empty?)"#,
            r#"Compatible sum: store "sum" of operator "sum": was not in the topology, is now a fold store"#,
            r#"Compatible total: operator "total": was reduce, is now not in the topology"#,
            r#"Compatible sum: operator "sum": was not in the topology, is now reduce"#,
        ],
    );
}

#[test]
fn windows_of_another_length_cannot_be_read() {
    check(
        |t| variant(t, 2 * HOUR, "total", |_, _| ()),
        &[
            r#"Incompatible hourly: store "hourly" of operator "hourly": window length: was 3600000 ms, is now 7200000 ms"#,
            r#"Compatible hourly: store "hourly" of operator "hourly": retention: was 7200000 ms, is now 10800000 ms"#,
        ],
    );
}

#[derive(Debug)]
struct Own;

impl Codec<u64> for Own {
    fn encode(value: &u64, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        buffer.push(*value as u8);
        Ok(())
    }
    fn decode(bytes: &[u8]) -> Result<u64, CodecError> {
        Ok(bytes.iter().map(|byte| u64::from(*byte)).sum())
    }
}

#[test]
fn other_types_and_codecs_need_consent() {
    check(
        |t| {
            let names = t.table::<String, u64>("names");
            let events = events(t);
            events.transform::<Watch<String>>("watch");
            events.join("named", &names, |event, _| *event).to("out");
            let by = events.rekey_as::<u64, Own>("by", |event| *event);
            by.fold("total", |_: &mut v2::Sum, _, _| None::<()>);
            by.window(Tumbling::of(HOUR).grace(HOUR)).count("hourly").to("hourly-out");
        },
        &[
            r#"NeedsConsent hourly: store "hourly" of operator "hourly": type of keys: was i64, is now u64"#,
            r#"NeedsConsent total: store "total" of operator "total": type of keys: was i64, is now u64"#,
            r#"NeedsConsent total: store "total" of operator "total": type of values: was Total, is now Sum"#,
            r#"NeedsConsent watch-seen: store "watch-seen" of operator "watch": type of map keys: was i64, is now String"#,
            r#"NeedsConsent by: repartition "by": type of keys: was i64, is now u64"#,
            r#"NeedsConsent by: repartition "by": codec: was Json, is now Own"#,
            r#"Compatible names: input "names": type of values: was String, is now u64"#,
        ],
    );
}

#[test]
fn partitions_count_where_there_is_state() {
    let refusals = manifest(base, 3).refusals(&manifest(base, 4), &["total".into()]);
    let names: Vec<&str> = refusals.iter().map(|change| change.name.as_str()).collect();
    assert_eq!(names, ["hourly", "names", "total", "watch-seen", "watch-since", "watch-wake", "by"]);
    assert_eq!(refusals[0].to_string(), r#"store "hourly" of operator "hourly": partitions: was 3, is now 4"#);
    let stateless = |t: &mut Topology| events(t).to("out");
    assert_eq!(manifest(stateless, 3).refusals(&manifest(stateless, 4), &[]), []);
    // Without a cluster nothing is known of them.
    let blueprint = Blueprint::of("app", base).unwrap();
    assert_eq!(manifest(base, 3).changes_to(&blueprint.manifest()), []);
}

#[test]
fn a_store_given_up_does_not_come_back_unnoticed() {
    let (old, without) = (manifest(base, 3), manifest(|t| variant(t, HOUR, "sum", |_, _| ()), 3));
    assert_eq!(old.refusals(&without, &[]).len(), 1);
    assert_eq!(old.refusals(&without, &["total".into()]), []);
    let kept = old.succeeded_by(&without);
    assert_eq!(kept.retired.keys().collect::<Vec<_>>(), ["total"]);
    let refusals = kept.refusals(&old, &["sum".into()]);
    assert_eq!(refusals.len(), 1);
    assert!(refusals[0].to_string().contains("\"app-total-changelog\""), "{}", refusals[0]);
    let back = kept.succeeded_by(&old);
    assert_eq!(back.retired.keys().collect::<Vec<_>>(), ["sum"]);
}

#[test]
fn kinds_are_not_confused() {
    let changes = manifest(|t| drop(events(t).count("a")), 1)
        .changes_to(&manifest(|t| drop(events(t).window(Tumbling::of(HOUR)).count("a")), 1));
    assert_eq!(changes[0].to_string(), r#"store "a" of operator "a": kind: was fold, is now window"#);
    assert_eq!(changes[0].verdict, Verdict::Incompatible);
}

#[test]
fn the_formats_of_a_released_version_are_read() {
    let manifest = manifest(|t| events(t).rekey("by", |e| *e).window(Tumbling::of(HOUR)).count("n").to("out"), 2);
    let text = include_str!("fixtures/manifest-1.json");
    assert_eq!(manifest.to_json(), text, "the manifest of a released version does not change");
    assert_eq!(Manifest::from_json(text), Ok(manifest.clone()));
    assert_eq!(Manifest::from_json(r#"{"format":2}"#), Err(ManifestError::Newer { found: 2 }));
    assert!(matches!(Manifest::from_json("{}"), Err(ManifestError::Malformed(_))));

    let mut control = ControlState::default();
    let stored = StoredManifest::new(7, manifest);
    let (key, value) = stored.record();
    control.apply(key.as_bytes(), Some(value.as_bytes())).unwrap();
    assert_eq!(control.manifest, Some(stored));
    control.apply(b"reset", Some(br#"{"version":1,"topics":["a"]}"#)).unwrap();
    assert_eq!(control.reset, Some(ResetMark::new(vec!["a".into()])));
    control.apply(b"reset", None).unwrap();
    control.apply(b"of a later version", Some(b"?")).unwrap();
    assert_eq!(control.reset, None);
    let newer = control.apply(b"manifest", Some(br#"{"version":2}"#)).unwrap_err();
    assert_eq!(newer, ControlError::Newer { key: "manifest".into(), found: 2 });
    assert!(matches!(control.apply(b"reset", Some(b"{}")), Err(ControlError::Malformed { .. })));
}
