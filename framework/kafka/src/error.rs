//! From librdkafka's error codes to what the engine does next.

use headwater_core::port::LogError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::native::TxnError;

/// Whether a code says that the credentials or the permissions are wrong: no retry will help.
pub(crate) fn is_denied(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
    )
}

/// Whether a code says that a broker could not be asked just now.
pub(crate) fn is_transient(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
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
    const FENCED: [Code; 6] = [
        Code::Fenced,
        Code::ProducerFenced,
        Code::InvalidProducerEpoch,
        Code::FencedInstanceId,
        Code::FencedMemberEpoch,
        Code::UnknownMemberId,
    ];
    let text = format!("{what}: {}", error.text);
    let is = |code: &Code| *code as i32 == error.code;
    if FENCED.iter().any(is) {
        LogError::Fenced(text)
    } else if [Code::TransactionalIdAuthorizationFailed, Code::ClusterAuthorizationFailed, Code::GroupAuthorizationFailed]
        .iter()
        .any(is)
    {
        LogError::Fatal(text)
    } else if error.abort {
        // A stale generation among others: the group moved on, perhaps with this member still in it. The next poll of
        // the membership tells.
        LogError::AbortTransaction(text)
    } else if error.fatal {
        // Sequence numbers or transaction state are lost: only a new producer starts from a known point.
        LogError::Fenced(text)
    } else if error.retriable {
        LogError::Retriable(text)
    } else {
        LogError::Fatal(text)
    }
}

/// A short pause before a question is put again to a broker that just could not answer it.
#[allow(clippy::disallowed_methods, reason = "the pause is the point: without it the retry is a busy loop over the network")]
pub(crate) fn back_off() {
    std::thread::sleep(std::time::Duration::from_millis(20));
}
