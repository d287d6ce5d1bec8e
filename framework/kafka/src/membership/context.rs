use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use headwater_core::TopicPartition;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use crate::context::Context;

/// What the group asked for and librdkafka waits to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rebalance {
    Assign(Vec<TopicPartition>),
    Revoke {
        partitions: Vec<TopicPartition>,
        lost: bool,
    },
    /// The consumer itself is gone, and with it everything it had: nobody waits for the answer.
    Gone(Vec<TopicPartition>),
}

/// Receives rebalances. It only takes note of them: librdkafka delegates each one by an event, stays in its state of
/// waiting for the (un)assign call for as long as it takes, heartbeats meanwhile, and takes the call from any thread at
/// any later time. The limit is the group's: `max.poll.interval.ms`, 5 minutes by default.
pub(crate) struct MembershipContext {
    pub(super) client: Context,
    rebalances: Mutex<VecDeque<Rebalance>>,
    /// Nobody is left to answer: rebalances answer themselves.
    leaving: AtomicBool,
}

impl MembershipContext {
    pub(super) fn new(client: Context) -> MembershipContext {
        MembershipContext { client, rebalances: Mutex::default(), leaving: AtomicBool::new(false) }
    }

    pub(super) fn take(&self) -> Option<Rebalance> {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::SeqCst);
    }
}

impl ClientContext for MembershipContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.client.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.client.error(error, reason);
    }
}

impl ConsumerContext for MembershipContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let assigned = kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.leaving.load(Ordering::SeqCst) {
            // As in `retire`, whose poll this runs in.
            let incremental = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
            let answered = match (incremental, assigned) {
                (true, true) => consumer.incremental_assign(list),
                (true, false) => consumer.incremental_unassign(list),
                (false, _) => consumer.unassign(),
            };
            if let Err(error) = answered {
                tracing::debug!(%error, "giving up partitions while leaving the group");
            }
            return;
        }
        let partitions = list.elements().iter().map(|e| TopicPartition::new(e.topic(), e.partition())).collect();
        let rebalance = match assigned {
            true => Rebalance::Assign(partitions),
            false => Rebalance::Revoke { partitions, lost: consumer.assignment_lost() },
        };
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).push_back(rebalance);
    }
}
