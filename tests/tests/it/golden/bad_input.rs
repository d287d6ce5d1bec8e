//! What a user sees who got something wrong.

use std::process::{Command, Output};
use std::time::Duration;

use headwater::port::{Log, ProducerConfig};
use headwater::{Outgoing, Timestamp, TopicName};
use headwater_tests::{binary, within};

use super::stage::{LONG, Stage};

fn flights(arguments: &[&str]) -> Output {
    Command::new(binary("flights")).args(arguments).output().expect("the binary runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_wrong_flag_or_key_is_one_line_with_the_nearest_valid_one() {
    for (arguments, names) in [
        (&["run", "--bootstap", "x"][..], ["--bootstap", "--bootstrap"]),
        (&["config", "--set", "run.worker=4"][..], ["run.worker", "run.workers"]),
    ] {
        let output = flights(arguments);
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        assert!(names.iter().all(|name| error.contains(name)), "{error}");
    }
}

#[test]
fn no_broker_is_named_within_ten_seconds() {
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let state = directory.path().to_str().expect("a path in UTF-8");
    let run = || flights(&["run", "--bootstrap", "127.0.0.1:1", "--state-dir", state, "--admin", "off"]);
    let output = within("giving up", Duration::from_secs(12), run);
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("HW0003") && error.contains("127.0.0.1:1"), "{error}");
}

#[test]
fn a_missing_input_topic_is_named() {
    let stage = Stage::empty();
    let mut app = stage.run("state", &["--admin", "off"]);
    assert_eq!(app.wait(LONG).code(), Some(1));
    assert!(app.log().contains("HW0004") && app.log().contains("\"flights\""), "{}", app.log());
}

#[test]
fn a_record_that_is_no_json_is_named_and_stops_the_application() {
    let stage = Stage::empty();
    let mut admin = stage.log.admin().expect("the broker is up");
    let topic = |name: &str| headwater::port::NewTopic {
        name: name.into(),
        partitions: 2,
        replication: None,
        config: Default::default(),
    };
    admin.create(&[topic("flights"), topic("airlines")]).expect("topics can be made");
    let mut producer = stage.log.producer(&ProducerConfig { transactional_id: None }).expect("a producer");
    let topic: TopicName = "flights".into();
    let (key, value) = (Some(&b"N1"[..]), Some(&b"{oh"[..]));
    let record = Outgoing {
        topic: &topic,
        partition: 1,
        key,
        value,
        timestamp: Timestamp::from_millis(1),
        headers: &[],
        track_offset: false,
    };
    producer.send(record).and_then(|()| producer.flush()).expect("it can be written");
    let mut app = stage.run("state", &["--admin", "off"]);
    assert_eq!(app.wait(LONG).code(), Some(1));
    let log = app.log();
    assert!(log.contains("HW0007") && log.contains("offset 0 of flights-1") && log.contains("Policy::Skip"), "{log}");
}
