use std::path::Path;
use std::time::Instant;

use headwater_benches::{Data, INPUT, TABLE, key_of, row_of};
use headwater_core::port::{
    Committed, Ends, GroupMetadata, Log, LogError, NewTopic, Producer, ProducerConfig, Reader, ReaderConfig,
};
use headwater_core::{Outgoing, Timestamp, TopicName, TopicPartition, partition_for};
use headwater_kafka::KafkaLog;
use headwater_tests::cluster::Guardian;
use headwater_tests::{BrokerOptions, KafkaBroker};

use crate::procfs;

/// A broker as Kafka's own start script runs it (`bin/kafka-server-start.sh` and `bin/kafka-run-class.sh`): with a heap that grows as it is needed it stays
/// small, and is collected, with pauses of 20 ms and more, several times as often.
pub(crate) const JVM: &str = "-Xms1g -Xmx1g -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 \
                   -XX:+ExplicitGCInvokesConcurrent -XX:MaxInlineLevel=15";
/// What is deleted is gone at once, before the next contender is measured.
const DELETED_AFTER: (&str, &str) = ("log.segment.delete.delay.ms", "1000");

/// One broker with the inputs. The order of the fields is that of their ends.
pub(crate) struct Stage {
    pub(crate) log: KafkaLog,
    pub(crate) guardian: Guardian,
    pub(crate) partitions: i32,
    pub(crate) broker_pid: u32,
    broker: KafkaBroker,
}

impl Stage {
    pub(crate) fn open(partitions: i32, jvm: &str) -> Result<Stage, LogError> {
        let guardian = Guardian::new("headwater-macro-");
        let properties = vec![(DELETED_AFTER.0, DELETED_AFTER.1.to_owned())];
        let broker =
            KafkaBroker::start_with(&BrokerOptions { properties, jvm: Some(jvm.to_owned()), ..BrokerOptions::default() });
        // The input is written as it is read by all: not compressed.
        let log = KafkaLog::connect(broker.config().option("compression.type", "none"))?;
        let broker_pid = broker.pid();
        Ok(Stage { log, guardian, partitions, broker_pid, broker })
    }

    /// Has the broker make and load its own topics, of positions and of transactions, which would take the first contender seconds.
    pub(crate) fn warm_up(&self) -> Result<(), LogError> {
        const NAME: &str = "macro-warm-up";
        self.create(NAME, &[])?;
        let mut producer = self.log.producer(&ProducerConfig { transactional_id: Some(NAME.to_owned()) })?;
        producer.init()?;
        producer.begin()?;
        self.send(producer.as_mut(), &NAME.into(), "key", b"value", 1)?;
        producer.commit(&[], &GroupMetadata::none(NAME))?;
        let mut admin = self.log.admin()?;
        let position = Committed { offset: 0, metadata: String::new() };
        admin.set_positions(NAME, &[(TopicPartition::new(NAME, 0), position)])?;
        admin.delete_group(NAME)?;
        admin.delete(&[NAME.to_owned()])
    }

    pub(crate) fn directory(&self) -> &Path {
        self.guardian.directory()
    }

    pub(crate) fn bootstrap(&self) -> String {
        self.broker.bootstrap()
    }

    /// User and system time of the broker so far.
    pub(crate) fn broker_cpu_seconds(&self) -> f64 {
        procfs::stat(self.broker_pid).map_or(0.0, |stat| stat.cpu_seconds)
    }

    /// Nothing can be measured any more once the broker has ended.
    pub(crate) fn is_up(&self) -> Result<(), String> {
        match procfs::stat(self.broker_pid).filter(|stat| !stat.is_ended()) {
            Some(_) => Ok(()),
            None => Err("the broker has ended".to_owned()),
        }
    }

    pub(crate) fn create(&self, name: &str, config: &[(&str, &str)]) -> Result<(), LogError> {
        let given = config.iter().map(|(key, value)| (key.to_string(), value.to_string()));
        let config = given.chain([("retention.ms".to_owned(), "-1".to_owned())]).collect();
        let topic = NewTopic { name: name.to_owned(), partitions: self.partitions, replication: None, config };
        self.log.admin()?.create(&[topic])
    }

    pub(crate) fn partitions_of(&self, topic: &str) -> Vec<TopicPartition> {
        (0..self.partitions).map(|partition| TopicPartition::new(topic, partition)).collect()
    }

    /// A reader of committed records, which asks for positions of `group`.
    pub(crate) fn reader(&self, group: &str) -> Result<Box<dyn Reader>, LogError> {
        self.log.reader(&ReaderConfig { group: group.to_owned(), read_uncommitted: false })
    }

    /// Writes all records of the input.
    pub(crate) fn load_input(&self, data: &Data) -> Result<(), LogError> {
        self.create(INPUT, &[])?;
        let began = Instant::now();
        let mut producer = self.producer()?;
        let (topic, mut value): (TopicName, _) = (INPUT.into(), Vec::new());
        for i in 0..data.records {
            let key = key_of(data.account(i));
            data.write_value(i, &key, &mut value);
            self.send(producer.as_mut(), &topic, &key, &value, data.timestamp(i))?;
        }
        producer.flush()?;
        let mut reader = self.reader("macro-bench")?;
        let ends = reader.ends(&self.partitions_of(INPUT))?;
        let there: i64 = ends.iter().map(|Ends { start, end }| end - start).sum();
        if there.cast_unsigned() != data.records {
            return Err(LogError::Fatal(format!("{INPUT} has {there} records instead of {}", data.records)));
        }
        eprintln!("{} records of {} accounts loaded in {:.1} s", data.records, data.keys, began.elapsed().as_secs_f64());
        Ok(())
    }

    /// Writes a row for every account.
    pub(crate) fn load_table(&self, data: &Data) -> Result<(), LogError> {
        self.create(TABLE, &[("cleanup.policy", "compact")])?;
        let mut producer = self.producer()?;
        let topic: TopicName = TABLE.into();
        for account in 0..data.keys {
            let (row, timestamp) = row_of(account);
            self.send(producer.as_mut(), &topic, &key_of(account), row.as_bytes(), timestamp)?;
        }
        producer.flush()
    }

    /// A producer that hardly lets a record wait for company: what it adds is measured as everybody's latency. It has one request under way: with several, its client's
    /// thread never rests as long as a partition's next records are due and five of its last ones are not acknowledged (librdkafka 2.12.1,
    /// `rd_kafka_toppar_producer_serve`), which is a third of a core that contenders lack.
    pub(crate) fn prompt_producer(&self) -> Result<Box<dyn Producer>, LogError> {
        let config =
            self.broker.config().option("compression.type", "none").option("linger.ms", "1").option("max.in.flight", "1");
        let mut producer = KafkaLog::connect(config)?.producer(&ProducerConfig { transactional_id: None })?;
        producer.init()?;
        Ok(producer)
    }

    fn producer(&self) -> Result<Box<dyn Producer>, LogError> {
        let mut producer = self.log.producer(&ProducerConfig { transactional_id: None })?;
        producer.init()?;
        Ok(producer)
    }

    /// Writes a record, with a time in milliseconds since 1970, into its key's partition.
    pub(crate) fn send(
        &self,
        producer: &mut dyn Producer,
        topic: &TopicName,
        key: &str,
        value: &[u8],
        at: i64,
    ) -> Result<(), LogError> {
        let partition = partition_for(Some(key.as_bytes()), self.partitions, 0);
        let (key, value, timestamp) = (Some(key.as_bytes()), Some(value), Timestamp::from_millis(at));
        producer.send(Outgoing { topic, partition, key, value, timestamp, headers: &[], track_offset: false })
    }
}
