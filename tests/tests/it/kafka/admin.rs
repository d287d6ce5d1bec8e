use std::collections::BTreeMap;

use headwater_core::port::{Log, LogError, NewTopic};

use super::support::*;

#[test]
fn creates_and_describes_topics() {
    let log = log();
    let mut admin = log.admin().unwrap();
    assert_eq!(admin.brokers().unwrap(), 1);

    let name = unique("created");
    let config =
        BTreeMap::from([("cleanup.policy".to_string(), "compact".to_string()), ("retention.ms".to_string(), "-1".to_string())]);
    let topic = NewTopic { name: name.clone(), partitions: 3, replication: Some(1), config };
    admin.create(std::slice::from_ref(&topic)).unwrap();
    // Several processes start at the same time.
    admin.create(&[topic]).unwrap();

    let found = admin.describe(&[name.clone(), unique("missing")]).unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), [&name]);
    let info = &found[&name];
    assert_eq!((info.partitions, info.replication), (3, 1));
    assert_eq!(info.config["cleanup.policy"], "compact");
    assert_eq!(info.config["retention.ms"], "-1");
    assert_eq!(info.config["message.timestamp.type"], "CreateTime");
}

#[test]
fn a_refused_topic_is_named() {
    let topic = NewTopic { name: unique("refused"), partitions: 1, replication: Some(7), config: BTreeMap::new() };
    let error = log().admin().unwrap().create(std::slice::from_ref(&topic)).unwrap_err();
    assert!(matches!(&error, LogError::Fatal(text) if text.contains(&topic.name) && text.contains("replication")), "{error}");
}

#[test]
fn deletes_records() {
    let log = log();
    let topic = new_topic(&log, "trimmed", 1);
    let mut producer = plain_producer(&log);
    send(producer.as_mut(), &topic, 0, &["a", "b", "c", "d"]);
    producer.flush().unwrap();

    log.admin().unwrap().delete_records(&[(p(&topic, 0), 3)]).unwrap();
    let ends = reader(&log, false).ends(&[p(&topic, 0)]).unwrap()[0];
    assert_eq!((ends.start, ends.end), (3, 4));
}
