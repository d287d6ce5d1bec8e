use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use headwater_core::port::{Committed, Log, LogError, Membership, MembershipConfig, MembershipEvent};
use headwater_core::{TopicName, TopicPartition};
use headwater_kafka::{GroupProtocol, KafkaLog};
use headwater_tests::{BrokerOptions, KafkaBroker, until, within};

use super::support::*;

/// A member that answers as the engine does, and what it owns.
struct Member {
    port: Box<dyn Membership>,
    owned: BTreeSet<TopicPartition>,
}

impl Member {
    fn new(log: &KafkaLog, group: &str, topics: &[&TopicName]) -> Member {
        Member { port: member(log, group, topics), owned: BTreeSet::new() }
    }

    fn poll(&mut self) {
        for event in self.port.poll(TICK).unwrap() {
            match event {
                MembershipEvent::Assigned(partitions) => {
                    // Piece by piece, as tasks open.
                    for partition in &partitions {
                        self.port.assign(std::slice::from_ref(partition)).unwrap();
                    }
                    self.owned.extend(partitions);
                }
                MembershipEvent::Revoked(partitions) => {
                    // Still this member's: its metadata is valid until it answers.
                    assert!(self.port.metadata().is_some());
                    for partition in &partitions {
                        assert!(self.owned.remove(partition), "{partition} was not owned");
                        self.port.unassign(std::slice::from_ref(partition)).unwrap();
                    }
                }
                MembershipEvent::Lost(partitions) => panic!("{partitions:?} lost"),
            }
        }
    }

    /// The partition numbers owned, the same in both topics.
    fn numbers(&self, topics: [&TopicName; 2]) -> BTreeSet<i32> {
        let of =
            |topic: &TopicName| self.owned.iter().filter(|p| p.topic == *topic).map(|p| p.partition).collect::<BTreeSet<i32>>();
        of(topics[0])
    }

    fn co_partitioned(&self, topics: [&TopicName; 2]) -> bool {
        let of =
            |topic: &TopicName| self.owned.iter().filter(|p| p.topic == *topic).map(|p| p.partition).collect::<BTreeSet<i32>>();
        of(topics[0]) == of(topics[1])
    }
}

/// Polls all members until they own `counts` partition numbers each, together all of them; nothing is ever owned twice.
fn settle(what: &str, members: &mut [&mut Member], topics: [&TopicName; 2], counts: &[usize]) {
    until(what, PATIENCE, || {
        for member in members.iter_mut() {
            member.poll();
        }
        let all: Vec<&TopicPartition> = members.iter().flat_map(|m| &m.owned).collect();
        assert_eq!(all.len(), all.iter().collect::<BTreeSet<_>>().len(), "{what}: owned twice");
        let settled = members.iter().zip(counts).all(|(m, count)| m.numbers(topics).len() == *count && m.co_partitioned(topics));
        settled.then_some(())
    });
}

fn one_two_one(protocol: GroupProtocol) {
    let log = log_with(protocol);
    let (left, right) = (new_topic(&log, "left", 6), new_topic(&log, "right", 6));
    let topics = [&left, &right];
    let group = unique("group");
    let mut first = Member::new(&log, &group, &topics);
    settle("one member", &mut [&mut first], topics, &[6]);
    let generation = first.port.metadata().unwrap().generation;

    let mut second = Member::new(&log, &group, &topics);
    settle("two members", &mut [&mut first, &mut second], topics, &[3, 3]);
    assert!(first.port.metadata().unwrap().generation > generation);

    within("leaving", Duration::from_secs(2), || first.port.leave().unwrap());
    assert!(first.port.metadata().is_none());
    let started = Instant::now();
    settle("one member again", &mut [&mut second], topics, &[6]);
    // Far below the session timeout, 10 s here at least.
    assert!(started.elapsed() < Duration::from_secs(5), "the partitions came after {:?}", started.elapsed());
    println!("{protocol:?}: after a leave the partitions moved in {:?}", started.elapsed());
}

#[test]
fn one_two_one_consumer() {
    one_two_one(GroupProtocol::Consumer);
}

#[test]
fn one_two_one_classic() {
    one_two_one(GroupProtocol::Classic);
}

#[test]
fn dropping_a_member_leaves() {
    let log = log();
    let topic = new_topic(&log, "dropped", 1);
    let group = unique("dropped");
    let (first, metadata) = joined(&log, &group, &[&topic]);
    drop(first);
    within("taking over", Duration::from_secs(5), || joined(&log, &group, &[&topic]));
    // It kept the closed consumer alive.
    drop(metadata);
}

/// A static member that stops is expected back: its partitions wait for it, and it gets them under a new generation or
/// the old one.
#[test]
fn a_static_member_returns_to_its_partitions() {
    for protocol in [GroupProtocol::Consumer, GroupProtocol::Classic] {
        let log = log_with(protocol);
        let topic = new_topic(&log, "static", 2);
        let group = unique("static");
        let open = |instance: &str| {
            let config =
                MembershipConfig { group: group.clone(), instance: Some(instance.into()), topics: vec![topic.to_string()] };
            Member { port: log.membership(&config).unwrap(), owned: BTreeSet::new() }
        };
        let (mut one, mut two) = (open("one"), open("two"));
        until("both to own one", PATIENCE, || {
            one.poll();
            two.poll();
            (one.owned.len() == 1 && two.owned.len() == 1).then_some(())
        });
        let of_two = two.owned.clone();
        two.port.leave().unwrap();
        drop(two);
        let mut two = open("two");
        until("the return", PATIENCE, || {
            one.poll();
            two.poll();
            (!two.owned.is_empty()).then_some(())
        });
        assert_eq!(two.owned, of_two, "{protocol:?}");
        assert_eq!(one.owned.len(), 1, "{protocol:?}: nothing moved");
    }
}

/// By KIP-848 a name is refused to a newcomer for as long as its holder's session lasts, also when the holder was killed. The
/// newcomer waits and joins as soon as the name is free.
#[test]
fn a_static_member_waits_for_its_name() {
    let log = log_with(GroupProtocol::Consumer);
    let topic = new_topic(&log, "name", 2);
    let config = MembershipConfig { group: unique("name"), instance: Some("pod-0".into()), topics: vec![topic.to_string()] };
    let open = || Member { port: log.membership(&config).unwrap(), owned: BTreeSet::new() };
    let mut holder = open();
    until("the holder to own both", PATIENCE, || {
        holder.poll();
        (holder.owned.len() == 2).then_some(())
    });
    let mut newcomer = open();
    let began = Instant::now();
    // Long enough for the refusal and a second attempt.
    while began.elapsed() < Duration::from_secs(4) {
        holder.poll();
        newcomer.poll();
    }
    assert_eq!((holder.owned.len(), newcomer.owned.len()), (2, 0));
    assert!(newcomer.port.metadata().is_none(), "no member yet");
    holder.port.leave().unwrap();
    until("the newcomer to own both", PATIENCE, || {
        newcomer.poll();
        (newcomer.owned.len() == 2).then_some(())
    });
}

/// A member that is silent for too long loses everything, is told so, cannot commit any more, and may come back.
fn a_silent_member_is_put_out(protocol: GroupProtocol) {
    let mut config = KafkaBroker::shared().config().option("max.poll.interval.ms", "6000");
    config.group_protocol = protocol;
    config.session_timeout = Duration::from_secs(6);
    let silent_log = KafkaLog::new(config).unwrap();
    let topic = new_topic(&silent_log, "silent", 2);
    let group = unique("silent");
    let (mut silent, stale) = joined(&silent_log, &group, &[&topic]);

    let mut heir = Member::new(&log_with(protocol), &group, &[&topic]);
    until("the partitions to move", PATIENCE, || {
        heir.poll();
        (heir.owned.len() == 2).then_some(())
    });
    let mut producer = transactional(&silent_log, &unique("silent"));
    producer.begin().unwrap();
    let offsets = [(p(&topic, 0), Committed { offset: 1, metadata: String::new() })];
    let error = producer.commit(&offsets, &stale).unwrap_err();
    assert!(matches!(error, LogError::Fenced(_) | LogError::AbortTransaction(_)), "{error:?}");
    producer.abort().unwrap();

    // By the consumer protocol the revocation of a part was waiting: that, then the rest.
    let mut lost = BTreeSet::new();
    until("word of the loss", PATIENCE, || {
        heir.poll();
        for event in silent.poll(TICK).unwrap() {
            let MembershipEvent::Lost(partitions) = event else { panic!("{event:?} instead of Lost") };
            silent.unassign(&partitions).unwrap();
            lost.extend(partitions);
        }
        (lost.len() == 2).then_some(())
    });
    let mut silent = Member { port: silent, owned: BTreeSet::new() };
    until("the return", PATIENCE, || {
        heir.poll();
        silent.poll();
        (heir.owned.len() == 1 && silent.owned.len() == 1).then_some(())
    });
}

#[test]
fn a_silent_member_is_put_out_consumer() {
    a_silent_member_is_put_out(GroupProtocol::Consumer);
}

#[test]
fn a_silent_member_is_put_out_classic() {
    a_silent_member_is_put_out(GroupProtocol::Classic);
}

#[test]
fn a_missing_topic_is_named() {
    let log = log_with(GroupProtocol::Classic);
    let missing: TopicName = unique("missing").into();
    let mut member = member(&log, &unique("missing"), &[&missing]);
    let error = until("an error", PATIENCE, || member.poll(TICK).err());
    assert!(matches!(&error, LogError::UnknownTopic { topic } if **topic == *missing), "{error:?}");
}

/// Brokers without KIP-848, or with it switched off.
#[test]
fn auto_falls_back_to_the_classic_protocol() {
    let broker = KafkaBroker::start_with(&BrokerOptions { features: vec!["group.version=0"], ..BrokerOptions::default() });
    let log = broker.log();
    let topic = new_topic(&log, "old", 2);
    let (mut member, metadata) = joined(&log, "old", &[&topic]);
    assert!(metadata.generation >= 0);
    member.leave().unwrap();
}

#[test]
fn auto_takes_kip_848_where_it_is() {
    let log = log();
    let topic = new_topic(&log, "auto", 1);
    let group = unique("auto");
    let (_auto, _) = joined(&log, &group, &[&topic]);
    // A member that speaks KIP-848 only joins the same group and the first one stays in it: both speak it.
    let mut strict = log_with(GroupProtocol::Consumer).membership(&MembershipConfig {
        group,
        instance: None,
        topics: vec![topic.to_string()],
    });
    let strict = strict.as_mut().unwrap();
    until("membership", PATIENCE, || {
        strict.poll(TICK).unwrap();
        strict.metadata()
    });
}
