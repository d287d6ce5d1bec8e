use std::sync::{Arc, Mutex};

use headwater::port::{
    Admin, Batch, Committed, Ends, GroupMetadata, MemberInfo, Membership, MembershipConfig, Reader, TopicInfo,
};

use super::*;

/// A log that remembers what was written, and nothing else.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<State>>);

/// Key, value and timestamp.
type Written = (String, String, Timestamp);

#[derive(Default)]
struct State {
    topics: BTreeMap<String, NewTopic>,
    records: BTreeMap<(TopicName, i32), Vec<Written>>,
}

impl Log for Memory {
    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        Ok(Box::new(self.clone()))
    }
    fn membership(&self, _: &MembershipConfig) -> Result<Box<dyn Membership>, LogError> {
        Err(LogError::Fatal("a load joins no group".into()))
    }
    fn reader(&self, _: &ReaderConfig) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(self.clone()))
    }
    fn producer(&self, config: &ProducerConfig) -> Result<Box<dyn Producer>, LogError> {
        assert_eq!(config.transactional_id, None);
        Ok(Box::new(self.clone()))
    }
}

impl Admin for Memory {
    fn describe(&mut self, _: &[String]) -> Result<BTreeMap<String, TopicInfo>, LogError> {
        let state = self.0.lock().unwrap();
        let info = |t: &NewTopic| TopicInfo { partitions: t.partitions, replication: 1, config: t.config.clone() };
        Ok(state.topics.iter().map(|(name, topic)| (name.clone(), info(topic))).collect())
    }
    fn create(&mut self, topics: &[NewTopic]) -> Result<(), LogError> {
        let mut state = self.0.lock().unwrap();
        for topic in topics {
            state.topics.entry(topic.name.clone()).or_insert_with(|| topic.clone());
        }
        Ok(())
    }
    fn delete_records(&mut self, _: &[(TopicPartition, i64)]) -> Result<(), LogError> {
        Ok(())
    }
    fn delete(&mut self, _: &[String]) -> Result<(), LogError> {
        Err(LogError::Fatal("a load deletes nothing".into()))
    }
    fn offsets_at(&mut self, _: &[(TopicPartition, Timestamp)]) -> Result<Vec<Option<i64>>, LogError> {
        Err(LogError::Fatal("a load asks for no times".into()))
    }
    fn members(&mut self, _: &str) -> Result<Vec<MemberInfo>, LogError> {
        Ok(Vec::new())
    }
    fn set_positions(&mut self, _: &str, _: &[(TopicPartition, Committed)]) -> Result<(), LogError> {
        Err(LogError::Fatal("a load has no group".into()))
    }
    fn delete_positions(&mut self, _: &str, _: &[TopicPartition]) -> Result<(), LogError> {
        Err(LogError::Fatal("a load has no group".into()))
    }
    fn delete_group(&mut self, _: &str) -> Result<(), LogError> {
        Err(LogError::Fatal("a load has no group".into()))
    }
    fn brokers(&mut self) -> Result<usize, LogError> {
        Ok(1)
    }
}

impl Producer for Memory {
    fn init(&mut self) -> Result<(), LogError> {
        Ok(())
    }
    fn begin(&mut self) -> Result<(), LogError> {
        Ok(())
    }
    fn send(&mut self, record: Outgoing<'_>) -> Result<(), LogError> {
        let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
        let written = (text(record.key), text(record.value), record.timestamp);
        self.0.lock().unwrap().records.entry((record.topic.clone(), record.partition)).or_default().push(written);
        Ok(())
    }
    fn flush(&mut self) -> Result<(), LogError> {
        Ok(())
    }
    fn commit(&mut self, _: &[(TopicPartition, Committed)], _: &GroupMetadata) -> Result<(), LogError> {
        Ok(())
    }
    fn abort(&mut self) -> Result<(), LogError> {
        Ok(())
    }
    fn take_delivered(&mut self) -> Vec<(TopicPartition, i64)> {
        Vec::new()
    }
}

impl Reader for Memory {
    fn assign(&mut self, _: &[(TopicPartition, i64)]) -> Result<(), LogError> {
        Ok(())
    }
    fn unassign(&mut self, _: &[TopicPartition]) -> Result<(), LogError> {
        Ok(())
    }
    fn pause(&mut self, _: &[TopicPartition]) -> Result<(), LogError> {
        Ok(())
    }
    fn resume(&mut self, _: &[TopicPartition]) -> Result<(), LogError> {
        Ok(())
    }
    fn poll(&mut self, _: usize, _: std::time::Duration) -> Result<Vec<Batch>, LogError> {
        Ok(Vec::new())
    }
    fn committed(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Option<Committed>>, LogError> {
        Ok(vec![None; partitions.len()])
    }
    fn ends(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Ends>, LogError> {
        let state = self.0.lock().unwrap();
        let end = |p: &TopicPartition| state.records.get(&(p.topic.clone(), p.partition)).map_or(0, Vec::len) as i64;
        Ok(partitions.iter().map(|p| Ends { start: 0, end: end(p) }).collect())
    }
    fn cached_end(&self, _: &TopicPartition) -> Option<i64> {
        None
    }
}

#[test]
fn writes_everything_once() {
    let log = Memory::default();
    let mut last = (0, 0);
    let report = load(&log, 4, &mut |done, total| last = (done, total)).unwrap();
    assert_eq!((report.flights, report.airlines, report.partitions), (336_776, 16, 4));
    assert_eq!(last, (336_792, 336_792));

    let again = load(&log, 4, &mut |_, _| {}).unwrap_err();
    assert!(matches!(again, LoadError::Occupied { found: 336_776, expected: 336_776 }), "{again}");
    assert!(again.to_string().starts_with("topic \"flights\" is loaded already (336776 of 336776 records)"), "{again}");
    let otherwise = load(&log, 8, &mut |_, _| {}).unwrap_err();
    assert!(matches!(otherwise, LoadError::Partitions { topic: FLIGHTS, found: 4, asked: 8 }), "{otherwise}");

    let state = log.0.lock().unwrap();
    assert_eq!(state.topics[AIRLINES].config["cleanup.policy"], "compact");
    assert!(state.topics.values().all(|t| t.partitions == 4 && t.config["retention.ms"] == "-1"));
    let of = |name: &str| state.records.iter().filter(|((t, _), _)| **t == *name).flat_map(|(_, r)| r).collect::<Vec<_>>();
    let (flights, airlines) = (of(FLIGHTS), of(AIRLINES));
    assert_eq!((flights.len(), airlines.len()), (336_776, 16));
    assert!(flights.iter().all(|(_, _, at)| *at > AIRLINES_KNOWN));
    assert_eq!(AIRLINES_KNOWN.to_string(), "2013-01-01T00:00:00Z");
    for ((_, partition), records) in &state.records {
        assert!(records.iter().all(|(key, _, _)| partition_for(Some(key.as_bytes()), 4, 0) == *partition));
    }
    let ua = airlines.iter().find(|(key, _, _)| key == "UA").unwrap();
    assert_eq!(ua.1, r#"{"carrier":"UA","name":"United Air Lines Inc."}"#);
}

#[test]
fn refuses_what_cannot_be() {
    let refused = load(&Memory::default(), 0, &mut |_, _| {}).unwrap_err();
    assert_eq!(refused.to_string(), "a topic cannot have 0 partitions: give `--partitions` a number from 1");
}
