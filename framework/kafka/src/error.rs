//! From librdkafka's error codes to what the engine does next: ask again, abort and replay, replace the producer, or (where waiting
//! helps nobody) stop. The tests have the table.

use headwater_core::port::LogError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::native::TxnError;
use crate::producer::Undelivered;

/// Somebody else has the transactional id or the place in the group. Kafka Streams takes the same codes for a migrated task
/// (`StreamsProducer`); `InvalidProducerIdMapping` says that the brokers forgot the id for its long silence.
const FENCED: [Code; 8] = [
    Code::Fenced,
    Code::ProducerFenced,
    Code::InvalidProducerEpoch,
    Code::InvalidProducerIdMapping,
    Code::FencedInstanceId,
    Code::FencedMemberEpoch,
    Code::UnknownMemberId,
    Code::UnreleasedInstanceId,
];

/// What the brokers refuse in a record, whoever sends it and as often as it is sent.
const REFUSED: [Code; 7] = [
    Code::MessageSizeTooLarge,
    Code::InvalidMessageSize,
    Code::InvalidRecord,
    Code::InvalidDifferentRecord,
    Code::InvalidTimestamp,
    Code::UnsupportedForMessageFormat,
    Code::PolicyViolation,
];

/// The call can never succeed as things are configured, permissions aside: what the brokers cannot do, or do not take.
const HOPELESS: [Code; 6] = [
    Code::UnsupportedVersion,
    Code::UnsupportedFeature,
    Code::InvalidTransactionTimeout,
    Code::InvalidArgument,
    Code::NotConfigured,
    Code::OffsetMetadataTooLarge,
];

const DENIED: [Code; 6] = [
    Code::Authentication,
    Code::SaslAuthenticationFailed,
    Code::TopicAuthorizationFailed,
    Code::GroupAuthorizationFailed,
    Code::ClusterAuthorizationFailed,
    Code::TransactionalIdAuthorizationFailed,
];

/// Codes may come over the wire that the enumeration does not know: so they are compared as numbers.
fn is(codes: &[Code], code: i32) -> bool {
    codes.iter().any(|candidate| *candidate as i32 == code)
}

/// Whether a code says that the credentials or the permissions are wrong: no retry will help.
pub(crate) fn is_denied(code: Code) -> bool {
    DENIED.contains(&code)
}

fn is_hopeless(code: i32) -> bool {
    is(&HOPELESS, code) || is(&DENIED, code)
}

/// Whether a code says that a broker could not be asked just now.
pub(crate) fn is_transient(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            // The client gave a broker up that the cluster does not name any more.
            | Code::DestroyBroker
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::TimedOutQueue
            | Code::WaitingForCoordinator
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::NetworkException
            | Code::UnstableOffsetCommit
            | Code::RebalanceInProgress
            | Code::InProgress
            | Code::PreviousInProgress
            | Code::BrokerNotAvailable
            | Code::ReplicaNotAvailable
            | Code::NotEnoughReplicas
            | Code::NotController
            | Code::KafkaStorageError
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::OffsetNotAvailable
            | Code::ThrottlingQuotaExceeded
    )
}

/// The error of a call about `what`; `topic` if it was about one.
pub(crate) fn from_code(code: Code, what: &str, topic: Option<&str>) -> LogError {
    match (code, topic) {
        (Code::UnknownTopicOrPartition | Code::UnknownTopic, Some(topic)) => LogError::UnknownTopic { topic: topic.to_string() },
        (code, _) if is_transient(code) => LogError::Retriable(format!("{what}: {code}")),
        (code, _) => LogError::Fatal(format!("{what}: {code}")),
    }
}

/// The error of a call of `rdkafka`'s.
pub(crate) fn from_kafka(error: &KafkaError, what: &str) -> LogError {
    let code = match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    };
    match code {
        Some(code) => from_code(code, what, None),
        None => LogError::Fatal(format!("{what}: {error}")),
    }
}

/// The error of a transaction call that librdkafka does not want repeated.
pub(crate) fn from_transaction(error: &TxnError, what: &str) -> LogError {
    let text = format!("{what}: {}", error.text);
    if is(&FENCED, error.code) {
        LogError::Fenced(text)
    } else if is_hopeless(error.code) {
        LogError::Fatal(text)
    } else if error.abort {
        // A stale generation among others: the group moved on, perhaps with this member still in it. The next poll of
        // the membership tells.
        LogError::AbortTransaction(text)
    } else if error.retriable && !error.fatal {
        LogError::Retriable(text)
    } else {
        // Sequence numbers or the transaction's state are lost, or librdkafka is in a state that allows nothing: only a new producer
        // starts from a known point.
        LogError::Unusable(text)
    }
}

/// The error of a record that was handed over and not written.
pub(crate) fn from_delivery(failure: Undelivered) -> LogError {
    let Undelivered { partition, code, text } = failure;
    if is(&REFUSED, code) {
        return LogError::Refused { partition, reason: text };
    }
    let text = format!("{partition} did not take a record: {text}");
    if is(&FENCED, code) {
        LogError::Fenced(text)
    } else if is_hopeless(code) {
        LogError::Fatal(text)
    } else {
        LogError::AbortTransaction(text)
    }
}

/// The error of offsets that a group did not take, outside of transactions.
pub(crate) fn from_member_commit(code: Code, text: String) -> LogError {
    if is(&FENCED, code as i32) || matches!(code, Code::StaleMemberEpoch | Code::IllegalGeneration) {
        LogError::Fenced(text)
    } else if is_hopeless(code as i32) {
        LogError::Fatal(text)
    } else if is_transient(code) {
        LogError::Retriable(text)
    } else {
        LogError::AbortTransaction(text)
    }
}

/// Whether a record was dropped for the sake of another one, whose code tells more.
pub(crate) fn is_consequence(code: i32) -> bool {
    is(&[Code::PurgeQueue, Code::PurgeInflight, Code::InvalidDifferentRecord, Code::GaplessGuarantee, Code::State], code)
}

/// Between a question and the same question to a broker that could not answer it.
pub(crate) const BACK_OFF: std::time::Duration = std::time::Duration::from_millis(20);

/// A short pause before a question is put again to a broker that just could not answer it.
#[allow(clippy::disallowed_methods, reason = "the pause is the point: without it the retry is a busy loop over the network")]
pub(crate) fn back_off() {
    std::thread::sleep(BACK_OFF);
}

#[cfg(test)]
mod tests {
    use headwater_core::TopicPartition;

    use super::*;

    fn way(error: &LogError) -> &'static str {
        match error {
            LogError::Retriable(_) | LogError::Unreachable { .. } => "again",
            LogError::AbortTransaction(_) => "abort",
            LogError::Refused { .. } => "refused",
            LogError::Fenced(_) => "replace, fenced",
            LogError::Unusable(_) => "replace",
            LogError::UnknownTopic { .. } | LogError::OutOfRange { .. } | LogError::Fatal(_) => "stop",
        }
    }

    /// What librdkafka's advice (`r`etriable, `a`bort, `f`atal, or none) and code together lead to.
    #[track_caller]
    fn transaction(code: Code, advice: &str, expected: &str) {
        let [retriable, abort, fatal] = ["r", "a", "f"].map(|flag| advice == flag);
        let error = TxnError { code: code as i32, text: "why".into(), fatal, retriable, abort };
        let error = from_transaction(&error, "committing");
        assert_eq!(way(&error), expected, "{code:?} {advice}");
        assert!(error.to_string().contains("committing: why"), "{error}");
    }

    #[test]
    fn transaction_calls_have_three_ways() {
        // Nothing is known to have happened, and the same call goes on.
        transaction(Code::OperationTimedOut, "r", "again");
        transaction(Code::CoordinatorLoadInProgress, "r", "again");
        transaction(Code::ConcurrentTransactions, "r", "again");
        transaction(Code::BrokerTransportFailure, "r", "again");
        // This transaction is lost, the producer is not.
        transaction(Code::IllegalGeneration, "a", "abort");
        transaction(Code::StaleMemberEpoch, "a", "abort");
        transaction(Code::MessageTimedOut, "a", "abort");
        transaction(Code::InvalidTransactionalState, "a", "abort");
        transaction(Code::UnknownTopicOrPartition, "a", "abort");
        // Somebody else took over, whatever else librdkafka thinks of it.
        for advice in ["a", "f", ""] {
            transaction(Code::Fenced, advice, "replace, fenced");
            transaction(Code::ProducerFenced, advice, "replace, fenced");
            transaction(Code::InvalidProducerEpoch, advice, "replace, fenced");
            transaction(Code::InvalidProducerIdMapping, advice, "replace, fenced");
            transaction(Code::UnknownMemberId, advice, "replace, fenced");
            transaction(Code::FencedInstanceId, advice, "replace, fenced");
            transaction(Code::FencedMemberEpoch, advice, "replace, fenced");
        }
        // Only this producer is lost.
        transaction(Code::OutOfOrderSequenceNumber, "f", "replace");
        transaction(Code::UnknownProducerId, "f", "replace");
        transaction(Code::TransactionCoordinatorFenced, "f", "replace");
        transaction(Code::InvalidTransactionalState, "f", "replace");
        transaction(Code::State, "", "replace");
        transaction(Code::Conflict, "", "replace");
        transaction(Code::OperationTimedOut, "", "replace");
        // No replacement helps.
        for advice in ["r", "a", "f", ""] {
            transaction(Code::TransactionalIdAuthorizationFailed, advice, "stop");
            transaction(Code::TopicAuthorizationFailed, advice, "stop");
            transaction(Code::GroupAuthorizationFailed, advice, "stop");
            transaction(Code::SaslAuthenticationFailed, advice, "stop");
            transaction(Code::UnsupportedVersion, advice, "stop");
            transaction(Code::InvalidTransactionTimeout, advice, "stop");
        }
    }

    #[test]
    fn a_record_that_was_not_written_is_refused_or_tried_again() {
        #[track_caller]
        fn check(code: Code, expected: &str) {
            let partition = TopicPartition::new("topic", 3);
            let error = from_delivery(Undelivered { partition, code: code as i32, text: "why".into() });
            assert_eq!(way(&error), expected, "{code:?}");
            assert!(error.to_string().contains("topic-3") && error.to_string().contains("why"), "{error}");
        }
        check(Code::MessageSizeTooLarge, "refused");
        check(Code::InvalidRecord, "refused");
        check(Code::InvalidDifferentRecord, "refused");
        check(Code::InvalidTimestamp, "refused");
        check(Code::MessageTimedOut, "abort");
        check(Code::NotEnoughReplicasAfterAppend, "abort");
        check(Code::PurgeQueue, "abort");
        check(Code::KafkaStorageError, "abort");
        check(Code::UnknownTopicOrPartition, "abort");
        check(Code::OutOfOrderSequenceNumber, "abort");
        check(Code::InvalidProducerEpoch, "replace, fenced");
        check(Code::TopicAuthorizationFailed, "stop");
    }

    #[test]
    fn offsets_without_a_transaction_have_the_same_ways() {
        #[track_caller]
        fn check(code: Code, expected: &str) {
            assert_eq!(way(&from_member_commit(code, "why".into())), expected, "{code:?}");
        }
        check(Code::CoordinatorNotAvailable, "again");
        check(Code::OperationTimedOut, "again");
        check(Code::StaleMemberEpoch, "replace, fenced");
        check(Code::IllegalGeneration, "replace, fenced");
        check(Code::UnknownMemberId, "replace, fenced");
        check(Code::State, "abort");
        check(Code::GroupAuthorizationFailed, "stop");
        check(Code::OffsetMetadataTooLarge, "stop");
    }

    #[test]
    fn questions_are_asked_again_unless_the_answer_is_no() {
        #[track_caller]
        fn check(code: Code, expected: &str) {
            assert_eq!(way(&from_code(code, "asking", Some("topic"))), expected, "{code:?}");
        }
        check(Code::BrokerTransportFailure, "again");
        check(Code::AllBrokersDown, "again");
        check(Code::NotCoordinator, "again");
        check(Code::LeaderNotAvailable, "again");
        check(Code::KafkaStorageError, "again");
        check(Code::UnknownTopicOrPartition, "stop");
        check(Code::TopicAuthorizationFailed, "stop");
    }
}
