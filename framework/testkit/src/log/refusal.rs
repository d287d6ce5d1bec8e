//! Records a broker does not take: larger than `max.message.bytes` of their topic, or as a test wants it.

use std::sync::Arc;

use headwater_core::port::LogError;
use headwater_core::{Outgoing, TopicPartition};

use super::handle::MemoryLog;
use super::topics::Topics;

type Rule = Arc<dyn Fn(&Outgoing<'_>) -> Option<String> + Send + Sync>;

/// What is refused.
#[derive(Clone, Default)]
pub(super) struct Refusals {
    rule: Option<Rule>,
}

impl Refusals {
    /// Fails as a broker would, for good: the same record is refused as often as it comes.
    pub fn check(&self, record: &Outgoing<'_>, topics: &Topics) -> Result<(), LogError> {
        let config = topics.get(record.topic).and_then(|topic| topic.config.get("max.message.bytes"));
        let limit = config.and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
        let size = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
        let too_large = (size > limit).then(|| format!("its {size} bytes are more than max.message.bytes={limit}"));
        match too_large.or_else(|| self.rule.as_ref().and_then(|rule| rule(record))) {
            Some(reason) => {
                Err(LogError::Refused { partition: TopicPartition::new(record.topic.clone(), record.partition), reason })
            }
            None => Ok(()),
        }
    }
}

impl MemoryLog {
    /// From now on records for which `rule` has a reason are refused, as by a broker: the producer learns it when it flushes or sends
    /// the next one, and its transaction can only be aborted. Replaces the rule before.
    pub fn refuse(&self, rule: impl Fn(&Outgoing<'_>) -> Option<String> + Send + Sync + 'static) {
        self.lock().refusals = Refusals { rule: Some(Arc::new(rule)) };
    }
}
