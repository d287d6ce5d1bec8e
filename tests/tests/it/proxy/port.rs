use std::sync::OnceLock;

use headwater_core::TopicName;
use headwater_core::port::{Committed, GroupMetadata, Log, Membership, Producer, ProducerConfig, ReaderConfig};
use headwater_kafka::KafkaLog;
use headwater_tests::BrokerOptions;
use headwater_tests::proxy::{Api, Fault, ProxiedBroker, Rule};
use headwater_tests::until;

use crate::kafka::support::*;

/// One for all tests here: rules are about the client of one test.
fn broker() -> &'static ProxiedBroker {
    static SHARED: OnceLock<ProxiedBroker> = OnceLock::new();
    SHARED.get_or_init(|| ProxiedBroker::start(1, &BrokerOptions::default()))
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Commit,
    Abort,
}

/// A transaction with one record and one position.
struct Subject {
    topic: TopicName,
    group: String,
    metadata: GroupMetadata,
    /// Stays in the group, or the metadata would be nobody's.
    _member: Box<dyn Membership>,
    /// Not bothered by anything.
    calm: KafkaLog,
}

impl Subject {
    fn new() -> Subject {
        let calm = broker().log("calm");
        let topic = new_topic(&calm, "lossy", 1);
        let group = unique("lossy");
        let (_member, metadata) = joined(&calm, &group, &[&topic]);
        Subject { topic, group, metadata, _member, calm }
    }

    /// Producers register before the faults begin, unless registering is what is disturbed.
    fn run(&self, client: &str, rule: &Rule, api: Api, end: End) {
        let log = broker().log(client);
        let config = ProducerConfig { transactional_id: Some(unique("lossy")) };
        let mut producer = log.producer(&config).unwrap();
        let disturbs_registering = api == Api::INIT_PRODUCER_ID || api == Api::FIND_COORDINATOR;
        if disturbs_registering {
            broker().proxy().add(rule.clone());
            producer.init().unwrap();
        } else {
            producer.init().unwrap();
            broker().proxy().add(rule.clone());
        }
        producer.begin().unwrap();
        send(producer.as_mut(), &self.topic, 0, &["one"]);
        if end == End::Abort {
            producer.flush().unwrap();
            return producer.abort().unwrap();
        }
        self.commit(producer.as_mut());
    }

    fn commit(&self, producer: &mut dyn Producer) {
        let position = Committed { offset: 7, metadata: "seven".into() };
        producer.commit(&[(p(&self.topic, 0), position)], &self.metadata).unwrap();
    }

    /// What there is afterwards, seen by a client that nothing happens to.
    fn found(&self) -> (Vec<String>, Vec<String>, Option<i64>) {
        let mut reader = self.calm.reader(&ReaderConfig { group: self.group.clone(), read_uncommitted: false }).unwrap();
        let committed = reader.committed(&[p(&self.topic, 0)]).unwrap().remove(0);
        let everything = |read_uncommitted| everything(&self.calm, &self.topic, read_uncommitted);
        (everything(false), everything(true), committed.map(|committed| committed.offset))
    }
}

#[test]
fn a_request_that_gets_no_answer_takes_effect_once() {
    let client = unique("client");
    let check = |api: Api, fault: Fault, end: End| {
        let subject = Subject::new();
        let before = broker().proxy().count(api);
        subject.run(&client, &Rule::times(2, api, fault).of(&client), api, end);
        let (committed, written, position) = subject.found();
        let expected: &[&str] = if end == End::Commit { &["one"] } else { &[] };
        let what = format!("{api}, {fault:?}, {end:?}");
        assert_eq!(committed, expected, "{what}");
        assert_eq!(written, ["one"], "{what}: written once");
        assert_eq!(position, (end == End::Commit).then_some(7), "{what}");
        // How often a coordinator is asked for is the client's affair; everything else is asked again until it is answered.
        let least = if api == Api::FIND_COORDINATOR { 1 } else { 2 };
        assert!(broker().proxy().count(api) >= before + least, "{what}: it did not happen");
    };
    let apis = [
        Api::INIT_PRODUCER_ID,
        Api::FIND_COORDINATOR,
        Api::ADD_PARTITIONS_TO_TXN,
        Api::PRODUCE,
        Api::ADD_OFFSETS_TO_TXN,
        Api::TXN_OFFSET_COMMIT,
        Api::END_TXN,
    ];
    for api in apis {
        check(api, Fault::LoseReply, End::Commit);
    }
    check(Api::END_TXN, Fault::LoseRequest, End::Commit);
    check(Api::END_TXN, Fault::LoseReply, End::Abort);
    check(Api::END_TXN, Fault::LoseRequest, End::Abort);
}

#[test]
fn a_reader_that_gets_no_answer_asks_again() {
    let calm = broker().log("calm");
    let topic = new_topic(&calm, "read", 1);
    let mut producer = plain_producer(&calm);
    send(producer.as_mut(), &topic, 0, &["a", "b", "c"]);
    producer.flush().unwrap();

    let client = unique("client");
    let log = broker().log(&client);
    let apis = [Api::LIST_OFFSETS, Api::OFFSET_FETCH, Api::FETCH, Api::METADATA];
    let before = apis.map(|api| broker().proxy().count(api));
    for api in apis {
        broker().proxy().add(Rule::times(2, api, Fault::LoseReply).of(&client));
    }
    let mut reader = reader(&log, false);
    let ends = until("the ends", PATIENCE, || reader.ends(&[p(&topic, 0)]).ok());
    assert_eq!((ends[0].start, ends[0].end), (0, 3));
    assert_eq!(until("the positions", PATIENCE, || reader.committed(&[p(&topic, 0)]).ok()), [None]);
    reader.assign(&[(p(&topic, 0), 0)]).unwrap();
    let mut seen = Vec::new();
    until("all records", PATIENCE, || {
        // A broken connection may be told; reading goes on after it.
        let batches = reader.poll(10, TICK).unwrap_or_default();
        seen.extend(batches.iter().flat_map(|batch| values(&batch.records)));
        (seen.len() >= 3).then_some(())
    });
    assert_eq!(seen, ["a", "b", "c"]);
    for (api, before) in apis.into_iter().zip(before) {
        assert!(broker().proxy().count(api) >= before + 2, "{api}: it did not happen");
    }
}
