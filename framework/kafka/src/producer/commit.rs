//! The end of a transaction, and commits without one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_core::TopicPartition;
use headwater_core::port::{Committed, GroupMetadata, LogError};
use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::SLICE;
use crate::error::{BACK_OFF, back_off, from_member_commit, from_transaction, is_transient};
use crate::groups::positions;
use crate::membership::GroupHandle;
use crate::native::{self, MemberCommit, Metadata, Transactions};

/// How long a member's offsets may be on their way without an answer. librdkafka itself keeps them while the group has no coordinator, for as long as
/// a session.
const LOST: Duration = Duration::from_secs(60);

/// The membership that the metadata was taken from.
pub(super) fn handle(group: &GroupMetadata) -> Result<Arc<GroupHandle>, LogError> {
    Arc::clone(&group.handle)
        .downcast::<GroupHandle>()
        .map_err(|_| LogError::Fatal(format!("the metadata of group {:?} comes from another log than Kafka", group.group)))
}

/// Adds the offsets and commits. Everything sent is acknowledged already.
pub(super) fn in_transaction(
    transactions: &Transactions,
    offsets: &TopicPartitionList,
    group: Option<&Arc<Metadata>>,
    transaction_timeout: Duration,
) -> Result<(), LogError> {
    let started = Instant::now();
    while let Some(group) = group {
        match transactions.send_offsets(offsets, group, SLICE, transaction_timeout + SLICE) {
            Some(Ok(())) => break,
            // Past its timeout the brokers abort the transaction themselves: nothing can be won by asking on.
            Some(Err(error)) if error.retriable && started.elapsed() < transaction_timeout => {}
            Some(Err(error)) if error.retriable => {
                return Err(LogError::AbortTransaction(format!("adding offsets to the transaction: {}", error.text)));
            }
            Some(Err(error)) => return Err(from_transaction(&error, "adding offsets to the transaction")),
            // What it may still send is of an epoch that the next producer of this id ends.
            None => {
                let waited = started.elapsed().as_secs();
                return Err(LogError::Unusable(format!(
                    "adding offsets to the transaction: no answer from the client in {waited} s"
                )));
            }
        }
    }
    let started = Instant::now();
    loop {
        match transactions.commit(SLICE) {
            Ok(()) => return Ok(()),
            // The outcome is not known and must not be guessed: librdkafka goes on with the same commit.
            Err(error) if error.retriable && started.elapsed() < transaction_timeout => {
                let waited = started.elapsed().as_secs();
                tracing::warn!(error = error.text, waited, "the commit's outcome is not known yet; asking again");
            }
            // By now the brokers have decided without us. A successor of the same id waits for what they decided.
            Err(error) if error.retriable => {
                let waited = started.elapsed().as_secs();
                return Err(LogError::Unusable(format!(
                    "whether the transaction was committed is not known after {waited} s: {}",
                    error.text
                )));
            }
            Err(error) => return Err(from_transaction(&error, "committing the transaction")),
        }
    }
}

/// Aborts; a producer that cannot tell whether it did is replaced, and its successor aborts by registering.
pub(super) fn abort(transactions: &Transactions, transaction_timeout: Duration) -> Result<(), LogError> {
    let started = Instant::now();
    loop {
        match transactions.abort(SLICE) {
            Ok(()) => return Ok(()),
            Err(error) if error.retriable && started.elapsed() < transaction_timeout => {
                tracing::warn!(error = error.text, "the abort is not confirmed yet; asking again");
            }
            Err(error) if error.retriable => {
                return Err(LogError::Unusable(format!("the transaction's abort is not confirmed: {}", error.text)));
            }
            Err(error) => return Err(from_transaction(&error, "aborting the transaction")),
        }
    }
}

/// Offsets on their way to the group without a transaction, as the member that the metadata was taken from. The brokers check the member,
/// not the partitions: whether they are still its own is checked here, before each time they are sent.
pub(super) struct OffsetsSent {
    handle: Arc<GroupHandle>,
    group: Arc<str>,
    list: TopicPartitionList,
    since: Instant,
    /// None while they are to be sent again.
    sent: Option<MemberCommit<Arc<GroupHandle>>>,
    failed_at: Instant,
}

impl OffsetsSent {
    pub(super) fn send(offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<OffsetsSent, LogError> {
        let (handle, list, now) = (handle(group)?, positions(offsets)?, Instant::now());
        let mut offsets = OffsetsSent { handle, group: group.group.clone(), list, since: now, sent: None, failed_at: now };
        offsets.send_again()?;
        Ok(offsets)
    }

    fn send_again(&mut self) -> Result<(), LogError> {
        let OffsetsSent { handle, group, list, .. } = self;
        if handle.consumer.closed() {
            return Err(LogError::Fenced(format!("this member has left group {group:?}")));
        }
        if handle.consumer.assignment_lost() {
            return Err(LogError::Fenced(format!("group {group:?} took this member's partitions away")));
        }
        let owned =
            handle.consumer.assignment().map_err(|error| LogError::Retriable(format!("reading the assignment: {error}")))?;
        let elements = list.elements();
        if let Some(lost) = elements.iter().find(|element| owned.find_partition(element.topic(), element.partition()).is_none()) {
            let partition = TopicPartition::new(lost.topic(), lost.partition());
            return Err(LogError::Fenced(format!("{partition} is not this member's in group {group:?} any more")));
        }
        match MemberCommit::send(handle.consumer.client(), list, Arc::clone(handle)) {
            Ok(sent) => {
                self.sent = Some(sent);
                Ok(())
            }
            Err(code) => self.refused(code, &format!("librdkafka does not send them (code {code})")),
        }
    }

    /// Whether they are committed; waits for up to `timeout`, or a little longer.
    pub(super) fn poll(&mut self, timeout: Duration) -> Result<bool, LogError> {
        let Some(sent) = &self.sent else {
            if self.failed_at.elapsed() < BACK_OFF && timeout.is_zero() {
                return Ok(false);
            }
            if self.failed_at.elapsed() < BACK_OFF {
                back_off();
            }
            return self.send_again().map(|()| false);
        };
        match sent.answer(timeout) {
            Some(Ok(())) => Ok(true),
            Some(Err(error)) => {
                self.sent = None;
                self.refused(error.code, &error.text).map(|()| false)
            }
            None if self.since.elapsed() < LOST => Ok(false),
            None => Err(LogError::Unusable(format!(
                "committing offsets to group {:?}: no answer from the client in {} s",
                self.group,
                self.since.elapsed().as_secs()
            ))),
        }
    }

    /// Waits for the answer to what was sent, whatever it is, and sends nothing again.
    pub(super) fn settle(&self) {
        let Some(sent) = &self.sent else { return };
        while sent.answer(SLICE).is_none() && self.since.elapsed() < LOST {}
    }

    /// They were not taken. `Ok`: they are to be sent again.
    fn refused(&mut self, code: i32, text: &str) -> Result<(), LogError> {
        self.failed_at = Instant::now();
        let what = format!("committing offsets to group {:?}: {text}", self.group);
        match native::code_of(code) {
            Some(code) if is_transient(code) && self.since.elapsed() < 6 * SLICE => Ok(()),
            // The member's epoch moved under the commit; the client knows the new one now.
            Some(Code::StaleMemberEpoch | Code::IllegalGeneration) if self.since.elapsed() < SLICE => Ok(()),
            Some(code) => Err(from_member_commit(code, what)),
            None => Err(LogError::Unusable(what)),
        }
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::ClientConfig;
    use rdkafka::mocking::{MockCluster, MockCoordinator};

    use super::*;
    use crate::context::Context;
    use crate::native::{self, Role};
    use crate::secrets::Secrets;

    /// As when the broker that has the group goes away in the middle of a commit: librdkafka itself would wait for ever.
    #[test]
    fn a_client_that_does_not_answer_is_given_up() {
        let cluster = MockCluster::new(3).unwrap();
        cluster.coordinator(MockCoordinator::Transaction("writer".into()), 1).unwrap();
        cluster.coordinator(MockCoordinator::Group("group".into()), 2).unwrap();
        let open = |role: Role, key: &str, value: &str| {
            let mut config = ClientConfig::new();
            config.set("bootstrap.servers", cluster.bootstrap_servers()).set(key, value);
            native::open(&config, role, Context::new("test", Secrets::default())).unwrap()
        };
        let transactions = Transactions(open(Role::Producer, "transactional.id", "writer"));
        let member = open(Role::Consumer, "group.id", "group");
        let group = Arc::new(Metadata::of(&member).unwrap());
        transactions.init(Duration::from_secs(30)).unwrap();
        transactions.begin().unwrap();
        cluster.broker_down(2).unwrap();

        let offsets = [(TopicPartition::new("input", 0), Committed { offset: 7, metadata: String::new() })];
        let lost = in_transaction(&transactions, &positions(&offsets).unwrap(), Some(&group), Duration::from_secs(1));
        assert!(matches!(&lost, Err(LogError::Unusable(why)) if why.contains("no answer")), "{lost:?}");
        cluster.broker_up(2).unwrap();
    }
}
