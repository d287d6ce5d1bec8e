//! The end of a transaction, and commits without one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_core::TopicPartition;
use headwater_core::port::{Committed, GroupMetadata, LogError};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::SLICE;
use crate::error::{back_off, from_member_commit, from_transaction, is_transient};
use crate::groups::positions;
use crate::membership::GroupHandle;
use crate::native::{Metadata, Transactions};

/// The membership that the metadata was taken from.
pub(super) fn handle(group: &GroupMetadata) -> Result<&GroupHandle, LogError> {
    group
        .handle
        .downcast_ref::<GroupHandle>()
        .ok_or_else(|| LogError::Fatal(format!("the metadata of group {:?} comes from another log than Kafka", group.group)))
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

/// Commits offsets without a transaction, as the member that the metadata was taken from. The brokers check the member,
/// not the partitions: whether they are still its own is checked here.
pub(super) fn by_member(
    handle: &GroupHandle,
    offsets: &[(TopicPartition, Committed)],
    group: &GroupMetadata,
) -> Result<(), LogError> {
    if offsets.is_empty() {
        return Ok(());
    }
    let list = positions(offsets)?;
    let started = Instant::now();
    loop {
        if handle.consumer.closed() {
            return Err(LogError::Fenced(format!("this member has left group {:?}", group.group)));
        }
        if handle.consumer.assignment_lost() {
            return Err(LogError::Fenced(format!("group {:?} took this member's partitions away", group.group)));
        }
        let owned =
            handle.consumer.assignment().map_err(|error| LogError::Retriable(format!("reading the assignment: {error}")))?;
        if let Some((partition, _)) = offsets.iter().find(|(p, _)| owned.find_partition(&p.topic, p.partition).is_none()) {
            return Err(LogError::Fenced(format!("{partition} is not this member's in group {:?} any more", group.group)));
        }
        let Err(error) = handle.consumer.commit(&list, CommitMode::Sync) else { return Ok(()) };
        let what = format!("committing offsets to group {:?}: {error}", group.group);
        match error.rdkafka_error_code() {
            Some(code) if is_transient(code) && started.elapsed() < 6 * SLICE => back_off(),
            // The member's epoch moved under the commit; the client knows the new one now.
            Some(Code::StaleMemberEpoch | Code::IllegalGeneration) if started.elapsed() < SLICE => back_off(),
            Some(code) => return Err(from_member_commit(code, what)),
            None => return Err(LogError::Unusable(what)),
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
