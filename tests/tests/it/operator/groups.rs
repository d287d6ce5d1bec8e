//! The admin port's calls for groups and for deleting topics, in both group protocols.

use headwater_core::port::{Committed, Log, MembershipConfig};
use headwater_core::{Timestamp, TopicName, TopicPartition};
use headwater_kafka::{GroupProtocol, KafkaLog};
use headwater_tests::until;

use crate::kafka::support::*;

fn at(topic: &TopicName, partition: i32, offset: i64) -> (TopicPartition, Committed) {
    (p(topic, partition), Committed { offset, metadata: format!("at {offset}") })
}

fn check_members(log: &KafkaLog) {
    let topic = new_topic(log, "grouped", 2);
    let group = unique("operated");
    let mut admin = log.admin().unwrap();
    assert_eq!(admin.members(&group).unwrap(), []);
    let config = MembershipConfig { group: group.clone(), instance: Some("pod-0".into()), topics: vec![topic.to_string()] };
    let mut member = log.membership(&config).unwrap();
    let found = until("the member is described", PATIENCE, || {
        for event in member.poll(TICK).unwrap() {
            if let headwater_core::port::MembershipEvent::Assigned(partitions) = event {
                member.assign(&partitions).unwrap();
            }
        }
        let found = admin.members(&group).unwrap();
        (!found.is_empty()).then_some(found)
    });
    assert_eq!(found.iter().map(|member| member.instance.as_deref()).collect::<Vec<_>>(), [Some("pod-0")]);
    assert!(found[0].host.contains("127.0.0.1") && !found[0].id.is_empty(), "{found:?}");
    assert!(admin.set_positions(&group, &[at(&topic, 0, 0)]).is_err(), "a group at work is not to be changed");
}

#[test]
fn members_are_described_with_the_new_protocol() {
    check_members(&log_with(GroupProtocol::Consumer));
}

#[test]
fn members_are_described_with_the_classic_protocol() {
    check_members(&log_with(GroupProtocol::Classic));
}

#[test]
fn positions_are_set_and_removed() {
    let log = log();
    let (topic, other) = (new_topic(&log, "moved", 2), new_topic(&log, "moved-too", 1));
    let group = unique("moving");
    let mut admin = log.admin().unwrap();
    admin.delete_positions(&group, &[p(&topic, 0)]).unwrap();
    admin.set_positions(&group, &[at(&topic, 0, 7), at(&topic, 1, 8), at(&other, 0, 9)]).unwrap();
    let committed = |partition| {
        let config = headwater_core::port::ReaderConfig { group: group.clone(), read_uncommitted: false };
        let found = log.reader(&config).unwrap().committed(&[partition]).unwrap();
        found[0].as_ref().map(|committed| {
            assert_eq!(committed.metadata, format!("at {}", committed.offset), "what is kept beside it");
            committed.offset
        })
    };
    assert_eq!((committed(p(&topic, 0)), committed(p(&topic, 1)), committed(p(&other, 0))), (Some(7), Some(8), Some(9)));
    admin.delete_positions(&group, &[p(&topic, 0), p(&other, 0)]).unwrap();
    admin.delete_positions(&group, &[p(&topic, 0)]).unwrap();
    assert_eq!((committed(p(&topic, 0)), committed(p(&topic, 1)), committed(p(&other, 0))), (None, Some(8), None));
}

#[test]
fn offsets_are_found_by_time_and_topics_deleted() {
    let log = log();
    let topic = new_topic(&log, "timed", 2);
    let mut producer = plain_producer(&log);
    for time in [1000, 2000, 3000] {
        let record = headwater_core::Outgoing { timestamp: Timestamp::from_millis(time), ..record(&topic, 0, "a") };
        producer.send(record).unwrap();
    }
    producer.flush().unwrap();
    let mut admin = log.admin().unwrap();
    let asked = [(p(&topic, 0), 1500), (p(&topic, 1), 0), (p(&topic, 0), 3001)];
    for (partition, time, found) in [(0, 1500, Some(1)), (0, 0, Some(0)), (0, 3001, None), (1, 0, None)] {
        assert_eq!(admin.offsets_at(&[(p(&topic, partition), Timestamp::from_millis(time))]).unwrap(), [found], "{time}");
    }
    let asked: Vec<_> = asked.into_iter().take(2).map(|(partition, time)| (partition, Timestamp::from_millis(time))).collect();
    assert_eq!(admin.offsets_at(&asked).unwrap(), [Some(1), None]);

    let names = [topic.to_string(), unique("never-was")];
    admin.delete(&names).unwrap();
    assert!(admin.describe(&names).unwrap().is_empty());
    admin.delete(&names).unwrap();
}
