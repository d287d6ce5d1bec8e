use std::collections::BTreeSet;

use headwater_core::bounded::InputProgress;

use super::super::definition::Kind;
use super::super::definitions::ALL;
use super::*;

/// Everything happened once.
fn busy() -> PrometheusObserver {
    let observer = PrometheusObserver::new("flights").unwrap();
    observer.phase(&Phase::Running);
    observer.consumed("flights", 10, 1000);
    observer.consumed("flights", 5, 500);
    observer.produced("hourly", 3, 300);
    observer.dropped("hourly", "late", 2);
    observer.dead_letters("flights", Stage::Decode, 4);
    observer.delivered("mail", 6, 0);
    observer.delivered("pager", 0, 5);
    observer.committed(Duration::from_millis(7), true);
    observer.committed(Duration::from_millis(7), false);
    observer.worker_time(0, Activity::Process, Duration::from_millis(1500));
    observer.lag(&TopicPartition::new("flights", 3), Some(42));
    observer.watermark_lag("flights-3", Some(1.5));
    observer.event_time("flights-3", Some(Timestamp::from_millis(1_500)));
    observer.event_time("flights-2", Some(Timestamp::from_millis(61_500)));
    observer.bounded_run(&look(Some(Duration::from_secs(90))));
    observer.tasks(1, 2);
    observer.restoring("delays", 3, 100, 900);
    observer.restored("flights-3", Duration::from_secs(2));
    observer.recovered("delays", "trimmed");
    observer.rebalanced();
    observer.fenced();
    observer.buffered(0, 7, 700);
    observer.failures(3);
    observer
}

/// A bounded run in the middle.
fn look(time_left: Option<Duration>) -> RunLook {
    let inputs = vec![InputProgress { partition: TopicPartition::new("flights", 3), total: 1000, done: 250 }];
    RunLook { stage: RunStage::Reading, inputs, time_left }
}

/// The samples with their labels sorted.
fn samples(observer: &PrometheusObserver) -> BTreeSet<String> {
    observer.render().unwrap().lines().filter(|line| !line.starts_with('#')).map(sorted).collect()
}

fn sorted(sample: &str) -> String {
    let Some((name, rest)) = sample.split_once('{') else { return sample.to_owned() };
    let (labels, value) = rest.split_once('}').unwrap();
    let labels: BTreeSet<&str> = labels.split(',').collect();
    format!("{name}{{{}}}{value}", Vec::from_iter(labels).join(","))
}

#[test]
fn counts_what_it_is_told() {
    let samples = samples(&busy());
    for expected in [
        r#"headwater_records_consumed_total{app="flights",topic="flights"} 15"#,
        r#"headwater_bytes_consumed_total{app="flights",topic="flights"} 1500"#,
        r#"headwater_records_produced_total{app="flights",topic="hourly"} 3"#,
        r#"headwater_records_dropped_total{app="flights",place="hourly",reason="late"} 2"#,
        r#"headwater_dead_letters_total{app="flights",place="flights",stage="decode"} 4"#,
        r#"headwater_sink_records_total{app="flights",result="delivered",sink="mail"} 6"#,
        r#"headwater_sink_records_total{app="flights",result="withheld",sink="pager"} 5"#,
        r#"headwater_commits_total{app="flights",result="ok"} 1"#,
        r#"headwater_commits_total{app="flights",result="failed"} 1"#,
        r#"headwater_commit_duration_seconds_bucket{app="flights",le="0.005"} 0"#,
        r#"headwater_commit_duration_seconds_bucket{app="flights",le="0.01"} 2"#,
        r#"headwater_worker_time_seconds_total{app="flights",state="process",worker="0"} 1.5"#,
        r#"headwater_input_lag_records{app="flights",partition="3",topic="flights"} 42"#,
        r#"headwater_watermark_lag_seconds{app="flights",task="flights-3"} 1.5"#,
        r#"headwater_event_time_skew_seconds{app="flights"} 60"#,
        r#"headwater_backfill_planned_records{app="flights",partition="3",topic="flights"} 1000"#,
        r#"headwater_backfill_done_records{app="flights",partition="3",topic="flights"} 250"#,
        r#"headwater_backfill_time_left_seconds{app="flights"} 90"#,
        r#"headwater_backfill_stage{app="flights",stage="reading"} 1"#,
        r#"headwater_backfill_stage{app="flights",stage="complete"} 0"#,
        r#"headwater_tasks{app="flights",state="running"} 2"#,
        r#"headwater_restore_remaining_records{app="flights",partition="3",store="delays"} 900"#,
        r#"headwater_restore_records_total{app="flights",store="delays"} 100"#,
        r#"headwater_restore_duration_seconds_count{app="flights"} 1"#,
        r#"headwater_store_recoveries_total{app="flights",reason="trimmed",store="delays"} 1"#,
        r#"headwater_rebalances_total{app="flights"} 1"#,
        r#"headwater_fenced_total{app="flights"} 1"#,
        r#"headwater_failures_in_a_row{app="flights"} 3"#,
        r#"headwater_buffered_bytes{app="flights",worker="0"} 700"#,
        r#"headwater_phase{app="flights",phase="running"} 1"#,
        r#"headwater_phase{app="flights",phase="starting"} 0"#,
    ] {
        assert!(samples.contains(expected), "{expected} not in {samples:#?}");
    }
}

#[test]
fn what_left_is_not_shown_any_more() {
    let observer = busy();
    observer.lag(&TopicPartition::new("flights", 3), None);
    observer.lag(&TopicPartition::new("never", 0), None);
    observer.watermark_lag("flights-3", None);
    observer.event_time("flights-3", None);
    observer.event_time("flights-2", None);
    observer.bounded_run(&look(None));
    observer.restoring("delays", 3, 900, 0);
    let text = observer.render().unwrap();
    for gone in ["input_lag", "watermark_lag", "restore_remaining", "skew", "time_left"] {
        assert!(!text.contains(gone), "{gone}");
    }
}

#[test]
fn a_restore_that_was_given_up_leaves_nothing_behind() {
    let observer = busy();
    observer.tasks(0, 2);
    assert!(!observer.render().unwrap().contains("restore_remaining"));
}

/// Every definition is registered under its name, kind and help, and nothing is shown that is not defined.
#[test]
fn shows_exactly_what_is_defined() {
    let text = busy().render().unwrap();
    let shown: BTreeSet<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
    let mut defined = BTreeSet::new();
    for definition in ALL {
        defined.insert(format!("# HELP {} {}", definition.name, definition.help));
        defined.insert(format!("# TYPE {} {}", definition.name, definition.kind.name()));
    }
    assert_eq!(shown, defined.iter().map(String::as_str).collect());
}

#[test]
fn names_follow_the_conventions() {
    let observer = busy();
    let text = observer.render().unwrap();
    for definition in ALL {
        let counter = matches!(definition.kind, Kind::Counter);
        assert_eq!(definition.name.ends_with("_total"), counter, "{}", definition.name);
        assert!(definition.help.ends_with('.'), "{}", definition.name);
        let sample = text.lines().find(|line| line.starts_with(definition.name)).unwrap();
        for label in definition.labels {
            assert!(sample.contains(&format!("{}=\"", label.name)), "{sample} lacks {}", label.name);
        }
    }
}
