//! Positions of partitions that are somebody else's by now: docs/decisions/offsets.md.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::engine::{EngineOptions, View, Worker};
use headwater_core::port::{Committed, GroupMetadata, Log, LogError, Membership, MembershipEvent, Reader, ReaderConfig, Stores};
use headwater_core::{Blueprint, Plan, TopicName, TopicPartition};
use headwater_kafka::{GroupProtocol, KafkaLog};
use headwater_tests::until;

use crate::kafka::support::*;

/// An application of one task, its input with something in it, and its group.
struct Stage {
    log: KafkaLog,
    topic: TopicName,
    plan: Arc<Plan>,
}

impl Stage {
    fn new(protocol: GroupProtocol) -> Stage {
        let log = log_with(protocol);
        let topic = new_topic(&log, "moved", 1);
        let app = unique("moved");
        let describe = |t: &mut headwater_core::Topology| t.input::<String, i64>(&topic).to(&format!("{app}-copy"));
        let plan = Blueprint::of(&app, describe).unwrap().plan(&[(topic.to_string(), 1)].into_iter().collect()).unwrap();
        let output = headwater_core::port::NewTopic {
            name: format!("{app}-copy"),
            partitions: 1,
            replication: None,
            config: [("retention.ms".to_owned(), "-1".to_owned())].into_iter().collect(),
        };
        log.admin().unwrap().create(&[output]).unwrap();
        let mut producer = plain_producer(&log);
        let mut one = record(&topic, 0, "1");
        one.key = Some(b"k");
        producer.send(one).unwrap();
        producer.flush().unwrap();
        Stage { log, topic, plan }
    }

    fn partition(&self) -> TopicPartition {
        p(&self.topic, 0)
    }

    fn position(&self) -> Option<i64> {
        let group = self.plan.blueprint().app().to_owned();
        let mut reader = self.log.reader(&ReaderConfig { group, read_uncommitted: false }).unwrap();
        reader.committed(&[self.partition()]).unwrap().remove(0).map(|committed| committed.offset)
    }

    fn join(&self) -> (Box<dyn Membership>, GroupMetadata) {
        joined(&self.log, self.plan.blueprint().app(), &[&self.topic])
    }

    fn worker(&self) -> Worker {
        let options = EngineOptions {
            transactional_id: Some(unique("moved")),
            commit_interval: Duration::from_millis(100),
            marker_interval: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(30),
            buffer_bytes: 1 << 20,
            dirty_bytes: 1 << 20,
            ..EngineOptions::default()
        };
        let (log, stores): (Arc<dyn Log>, Arc<dyn Stores>) =
            (Arc::new(self.log.clone()), Arc::new(headwater::MemoryStores::default()));
        Worker::new(Arc::clone(&self.plan), log, stores, options).unwrap()
    }
}

/// A worker that has processed the record and not committed it yet.
fn with_work(stage: &Stage) -> Worker {
    let mut worker = stage.worker();
    worker.start(stage.plan.tasks().remove(0)).unwrap();
    until("something to commit", PATIENCE, || {
        worker.poll(TICK).unwrap();
        worker.process(Duration::ZERO).unwrap();
        worker.has_work_to_commit().then_some(())
    });
    worker
}

/// Why it matters: brokers check that the metadata is a member's, not that the partitions are this member's.
fn the_broker_takes_positions_of_partitions_one_does_not_own(protocol: GroupProtocol) {
    let stage = Stage::new(protocol);
    let (_owner, _) = stage.join();
    // A second member for one partition: it is given none.
    let mut other = member(&stage.log, stage.plan.blueprint().app(), &[&stage.topic]);
    let mut producer = transactional(&stage.log, &unique("moved"));
    // The group may still be moving on from the second member's arrival: then with its next epoch.
    until("the broker to take the position", PATIENCE, || {
        for event in other.poll(TICK).unwrap() {
            assert!(!matches!(event, MembershipEvent::Assigned(_)), "{event:?}");
        }
        let metadata = other.metadata()?;
        producer.begin().unwrap();
        let position = Committed { offset: 41, metadata: String::new() };
        match producer.commit(&[(stage.partition(), position)], &metadata) {
            Ok(()) => Some(()),
            Err(LogError::AbortTransaction(_)) => {
                producer.abort().unwrap();
                None
            }
            Err(error) => panic!("{error}"),
        }
    });
    assert_eq!(stage.position(), Some(41));
}

#[test]
fn the_broker_takes_positions_of_partitions_one_does_not_own_consumer() {
    the_broker_takes_positions_of_partitions_one_does_not_own(GroupProtocol::Consumer);
}

/// Fresh metadata and a partition that is not this process's any more: the engine does not even ask the broker, which would say yes.
#[test]
fn the_engine_commits_no_position_of_a_partition_it_lost() {
    for protocol in [GroupProtocol::Consumer, GroupProtocol::Classic] {
        let stage = Stage::new(protocol);
        let (_member, membership) = stage.join();
        let mut worker = with_work(&stage);
        worker.set_view(Some(View { membership: membership.clone(), owned: Arc::new(BTreeSet::new()) }));
        let report = worker.commit(Duration::ZERO).unwrap();
        assert!(!report.ok, "{protocol:?}");
        let aborted = worker.take_report().aborted;
        assert!(aborted.iter().any(|why| why.contains("not this member's any more")), "{protocol:?}: {aborted:?}");
        assert_eq!(stage.position(), None, "{protocol:?}");

        // The same with the partition in the set: it was that, and nothing else.
        let mut worker = with_work(&stage);
        worker.set_view(Some(View { membership, owned: Arc::new([stage.partition()].into()) }));
        assert!(worker.commit(Duration::ZERO).unwrap().ok, "{protocol:?}");
        assert_eq!(stage.position(), Some(1), "{protocol:?}");
    }
}

/// The metadata of the time when the partition was owned, sent when the group has moved on: refused by the broker.
#[test]
fn metadata_from_before_the_loss_is_refused() {
    for protocol in [GroupProtocol::Consumer, GroupProtocol::Classic] {
        let stage = Stage::new(protocol);
        let (mut member, membership) = stage.join();
        let mut worker = with_work(&stage);
        member.leave().unwrap();
        let (_heir, _) = stage.join();
        worker.set_view(Some(View { membership, owned: Arc::new([stage.partition()].into()) }));
        assert!(!worker.commit(Duration::ZERO).unwrap().ok, "{protocol:?}");
        assert_eq!(stage.position(), None, "{protocol:?}");
    }
}

/// Nothing else commits: reading to the end and stopping leaves the group's positions alone.
#[test]
fn clients_commit_nothing_by_themselves() {
    let stage = Stage::new(GroupProtocol::Classic);
    let (mut member, _) = stage.join();
    let group = stage.plan.blueprint().app().to_owned();
    let mut reader: Box<dyn Reader> = stage.log.reader(&ReaderConfig { group, read_uncommitted: false }).unwrap();
    reader.assign(&[(stage.partition(), 0)]).unwrap();
    assert_eq!(read_to_end(reader.as_mut()).0.len(), 1);
    drop(reader);
    member.leave().unwrap();
    assert_eq!(stage.position(), None);
}
