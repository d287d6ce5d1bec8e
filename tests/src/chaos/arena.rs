use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::port::{Log, NewTopic};
use headwater_kafka::KafkaLog;

use super::Options;
use super::brokers::Brokers;
use super::diary::Diary;
use super::generator::Generator;
use super::members::Members;
use super::tail::Tail;
use crate::cluster::{Cluster, ClusterOptions, Guardian};
use crate::wait::until;

/// How long the group waits for a silent process: the least that these brokers allow, so that many of them fit into a run.
const SESSION: Duration = Duration::from_secs(6);
/// A pause that is to be noticed lasts longer than the session by this.
const MARGIN: Duration = Duration::from_secs(3);
/// From the start of the processes to the output topics' being there.
const TOPICS: Duration = Duration::from_secs(60);

/// Everything that runs. The order of the fields is that of their ends: brokers last.
pub(super) struct Arena {
    pub(super) generator: Generator,
    pub(super) members: Members,
    pub(super) tail: Tail,
    pub(super) log: KafkaLog,
    pub(super) brokers: Brokers,
    pub(super) guardian: Guardian,
}

impl Arena {
    /// Starts it all.
    pub(super) fn open(options: &Options, diary: &Arc<Diary>) -> Arena {
        let guardian = Guardian::new("headwater-chaos-");
        fs::create_dir_all(guardian.directory().join("logs")).expect("creating a directory");
        let properties = vec![("group.consumer.session.timeout.ms", SESSION.as_millis().to_string())];
        let cluster = ClusterOptions { brokers: options.size.brokers, properties };
        let cluster = Cluster::start(&cluster, guardian.directory(), &guardian);
        let (log, bootstrap) = (cluster.log(), cluster.bootstrap());
        create_input(&log, options.size.partitions);
        let mut members = Members::start(options, &bootstrap, SESSION + MARGIN, &guardian);
        until("the output topics", TOPICS, || {
            members.look_after(diary);
            super::scan::partitions(&log, ledger::BALANCES).ok()
        });
        let tail = Tail::start(cluster.log(), Arc::clone(diary));
        let generator = Generator::start(options, &bootstrap, &guardian);
        diary.note(format_args!("{} brokers and {} processes run", options.size.brokers, options.size.members));
        Arena { generator, members, tail, log, brokers: Brokers::new(cluster), guardian }
    }

    /// Looks after everything.
    pub(super) fn look_after(&mut self, diary: &Diary) {
        self.members.look_after(diary);
        self.brokers.look_after(diary);
    }
}

/// The application wants its input to be there; the generator takes it as it is.
fn create_input(log: &KafkaLog, partitions: i32) {
    let config = BTreeMap::from([("retention.ms".to_owned(), "-1".to_owned())]);
    let topic = NewTopic { name: ledger::TRANSFERS.to_owned(), partitions, replication: None, config };
    let created = log.admin().and_then(|mut admin| admin.create(&[topic]));
    created.unwrap_or_else(|error| panic!("creating the input topic: {error}"));
}
