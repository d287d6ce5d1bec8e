//! Membership of a consumer group: who owns which partitions. It reads nothing.

mod context;
mod reclaim;
mod rejoin;
mod retire;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_core::TopicPartition;
use headwater_core::port::{GroupMetadata, LogError, Membership, MembershipConfig, MembershipEvent};
use rdkafka::consumer::{BaseConsumer, Consumer, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::config::{GroupProtocol, KafkaConfig};
use crate::context::Context;
use crate::error::{is_denied, is_transient};
use crate::native::Metadata;
use crate::options;
use crate::secrets::Secrets;
use context::{MembershipContext, Rebalance};
use reclaim::Reclaim;
use rejoin::Rejoin;

type GroupConsumer = BaseConsumer<MembershipContext>;

/// What this adapter puts into [`GroupMetadata`].
pub(crate) struct GroupHandle {
    /// For commits without a transaction, and because the metadata must not outlive it.
    pub(crate) consumer: Arc<GroupConsumer>,
    pub(crate) metadata: Arc<Metadata>,
}

/// A [`Membership`] on a librdkafka consumer whose partitions are all paused.
pub(crate) struct KafkaMembership {
    config: KafkaConfig,
    member: MembershipConfig,
    consumer: Arc<GroupConsumer>,
    /// KIP-848.
    consumer_protocol: bool,
    subscribed: bool,
    left: bool,
    /// What librdkafka waits for, and which of it the engine has not answered yet: it may answer piece by piece, but
    /// librdkafka takes the first call for the whole answer.
    open: Option<(Rebalance, BTreeSet<TopicPartition>)>,
    /// Everything assigned: the eager protocol wants the whole set.
    owned: BTreeSet<TopicPartition>,
    /// Had by a consumer that is gone; the engine does not know yet.
    forfeited: Vec<TopicPartition>,
    /// Set while the group refuses our instance's name to us.
    reclaim: Option<Reclaim>,
    /// Why this consumer can only be replaced.
    broken: Option<String>,
    rejoin: Rejoin,
}

impl KafkaMembership {
    /// `consumer_protocol`: KIP-848, as far as is known by now.
    pub(crate) fn new(
        config: &KafkaConfig,
        member: &MembershipConfig,
        consumer_protocol: bool,
    ) -> Result<KafkaMembership, LogError> {
        Ok(KafkaMembership {
            config: config.clone(),
            member: member.clone(),
            consumer: Arc::new(open(config, member, consumer_protocol)?),
            consumer_protocol,
            subscribed: false,
            left: false,
            open: None,
            owned: BTreeSet::new(),
            forfeited: Vec::new(),
            reclaim: None,
            broken: None,
            rejoin: Rejoin::default(),
        })
    }

    fn subscribe(&mut self) -> Result<(), LogError> {
        let topics: Vec<&str> = self.member.topics.iter().map(String::as_str).collect();
        self.consumer.subscribe(&topics).map_err(|error| self.failed("subscribing", &error))?;
        self.subscribed = true;
        Ok(())
    }

    fn failed(&self, what: &str, error: &KafkaError) -> LogError {
        LogError::Retriable(format!("{what} in group {:?}: {error}", self.member.group))
    }

    /// Replaces a broken consumer when it is time. What it owned is lost.
    fn mend(&mut self) -> Result<(), LogError> {
        if self.broken.is_none() || !self.rejoin.is_due(Instant::now()) {
            return Ok(());
        }
        let reason = self.broken.take().unwrap_or_default();
        tracing::warn!(group = self.member.group, reason, "this member lost its place in the group; joining anew");
        self.open = None;
        self.forfeited.extend(std::mem::take(&mut self.owned));
        self.replace(self.consumer_protocol)
    }

    /// The next rebalance as an event. Empty ones, which librdkafka wants answered all the same, answer themselves.
    fn next_event(&mut self) -> Result<Option<MembershipEvent>, LogError> {
        if self.open.is_some() {
            return Ok(None);
        }
        let forfeited = std::mem::take(&mut self.forfeited);
        let next = if forfeited.is_empty() { self.consumer.context().take() } else { Some(Rebalance::Gone(forfeited)) };
        let Some(mut rebalance) = next else { return Ok(None) };
        let is_member = || Metadata::of(self.consumer.client()).is_some_and(|metadata| metadata.is_member());
        if matches!(rebalance, Rebalance::Revoke { .. }) && !is_member() {
            rebalance = self.start_over()?;
        }
        let (partitions, event) = match &rebalance {
            Rebalance::Assign(partitions) => (partitions, MembershipEvent::Assigned(partitions.clone())),
            Rebalance::Revoke { partitions, lost: false } => (partitions, MembershipEvent::Revoked(partitions.clone())),
            Rebalance::Revoke { partitions, lost: true } => (partitions, MembershipEvent::Lost(partitions.clone())),
            Rebalance::Gone(partitions) => (partitions, MembershipEvent::Lost(partitions.clone())),
        };
        let unanswered: BTreeSet<TopicPartition> = partitions.iter().cloned().collect();
        if unanswered.is_empty() {
            if let Err(error) = self.answer(&rebalance) {
                self.broken.get_or_insert_with(|| error.to_string());
                return Ok(None);
            }
            return self.next_event();
        }
        self.open = Some((rebalance, unanswered));
        Ok(Some(event))
    }

    /// Joins anew with a new consumer, after the group put the old one out (it polled too seldom, its session ended).
    /// librdkafka would rejoin by itself, but if a revocation was waiting at that moment it forgets to call the partitions
    /// lost, and by KIP-848 it rejoins with a request that the brokers refuse for good.
    fn start_over(&mut self) -> Result<Rebalance, LogError> {
        tracing::warn!(group = self.member.group, "the group put this member out; joining anew");
        self.replace(self.consumer_protocol)?;
        self.subscribe()?;
        Ok(Rebalance::Gone(std::mem::take(&mut self.owned).into_iter().collect()))
    }

    /// A new consumer, not subscribed yet.
    fn replace(&mut self, consumer_protocol: bool) -> Result<(), LogError> {
        let new = Arc::new(open(&self.config, &self.member, consumer_protocol)?);
        self.consumer_protocol = consumer_protocol;
        self.subscribed = false;
        retire::retire(std::mem::replace(&mut self.consumer, new), true, self.config.connect_timeout);
        Ok(())
    }

    /// The group holds our instance's name for a member whose session has not ended: most likely ourselves before a crash. It
    /// is asked again until that is over; what this member had, if anything, is lost.
    fn reclaim_instance(&mut self) -> Result<(), LogError> {
        let (group, now) = (self.member.group.as_str(), Instant::now());
        let instance = self.member.instance.clone().unwrap_or_default();
        self.reclaim.get_or_insert_with(|| Reclaim::begin(now)).refused(group, &instance, now)?;
        self.open = None;
        self.forfeited.extend(std::mem::take(&mut self.owned));
        self.replace(self.consumer_protocol)
    }

    /// Takes note that `partitions` are answered; once all are, tells librdkafka.
    fn answered(&mut self, partitions: &[TopicPartition], assigning: bool) -> Result<(), LogError> {
        let Some((rebalance, unanswered)) = &mut self.open else { return Ok(()) };
        if matches!(rebalance, Rebalance::Assign(_)) != assigning {
            return Ok(());
        }
        for partition in partitions {
            unanswered.remove(partition);
        }
        if !unanswered.is_empty() {
            return Ok(());
        }
        if let Some((rebalance, _)) = self.open.take()
            && let Err(error) = self.answer(&rebalance)
        {
            // The group moved on in between: only a new consumer knows where it stands.
            self.broken.get_or_insert_with(|| error.to_string());
        }
        Ok(())
    }

    fn answer(&mut self, rebalance: &Rebalance) -> Result<(), LogError> {
        let incremental = matches!(self.consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        match rebalance {
            Rebalance::Assign(partitions) => {
                self.reclaim = None;
                self.owned.extend(partitions.iter().cloned());
                let assigned = if incremental {
                    self.consumer.incremental_assign(&list(partitions))
                } else {
                    self.consumer.assign(&list(&self.owned))
                };
                // Before the positions (all at the end) are looked up the pause is in force: nothing is ever fetched.
                assigned
                    .and_then(|()| self.consumer.pause(&list(partitions)))
                    .map_err(|error| self.failed("taking over partitions", &error))
            }
            Rebalance::Revoke { partitions, .. } => {
                for partition in partitions {
                    self.owned.remove(partition);
                }
                let gone =
                    if incremental { self.consumer.incremental_unassign(&list(partitions)) } else { self.consumer.unassign() };
                gone.map_err(|error| self.failed("giving up partitions", &error))
            }
            Rebalance::Gone(_) => Ok(()),
        }
    }

    /// Sorts what librdkafka reports on its own: most of it repairs itself.
    fn on_error(&mut self, error: &KafkaError) -> Result<(), LogError> {
        let fatal = self.consumer.client().fatal_error();
        let reason = match &fatal {
            Some((_, text)) => self.consumer.context().client.secrets().hide(text),
            None => self.consumer.context().client.last_error().map_or_else(|| error.to_string(), |last| last.text),
        };
        let code = fatal.as_ref().map(|(code, _)| *code).or_else(|| error.rdkafka_error_code()).unwrap_or(Code::Unknown);
        let text = format!("group {:?}: {reason}", self.member.group);
        match code {
            Code::UnsupportedVersion | Code::UnsupportedFeature | Code::UnsupportedAssignor
                if self.consumer_protocol && self.config.group_protocol == GroupProtocol::Auto =>
            {
                tracing::warn!(group = self.member.group, reason, "the brokers refuse KIP-848; joining by the classic protocol");
                self.replace(false)?;
                self.subscribe()
            }
            Code::UnsupportedVersion | Code::UnsupportedFeature | Code::UnsupportedAssignor => Err(LogError::Fatal(text)),
            code if is_denied(code) => Err(LogError::Fatal(text)),
            Code::UnknownTopicOrPartition | Code::UnknownTopic => {
                // The longest name first: one topic's name may be part of another's.
                let mut topics: Vec<&String> =
                    self.member.topics.iter().filter(|topic| reason.contains(topic.as_str())).collect();
                topics.sort_by_key(|topic| std::cmp::Reverse(topic.len()));
                Err(match topics.first() {
                    Some(topic) => LogError::UnknownTopic { topic: topic.to_string() },
                    None => LogError::Retriable(text),
                })
            }
            Code::UnreleasedInstanceId => self.reclaim_instance(),
            // This consumer is of no use any more; another one may be.
            _ if fatal.is_some() => {
                self.broken.get_or_insert(text);
                Ok(())
            }
            // A member that polled too seldom is put out and told so by a Lost event; the next poll rejoins.
            Code::PollExceeded => {
                tracing::warn!(group = self.member.group, "{reason}");
                Ok(())
            }
            code => {
                if !is_transient(code) {
                    tracing::info!(group = self.member.group, ?code, "{reason}");
                }
                Ok(())
            }
        }
    }
}

impl Membership for KafkaMembership {
    fn poll(&mut self, timeout: Duration) -> Result<Vec<MembershipEvent>, LogError> {
        if self.left {
            return Err(LogError::Fatal(format!("this member has left group {:?}", self.member.group)));
        }
        self.mend()?;
        let deadline = Instant::now() + timeout;
        loop {
            let may_join = self.reclaim.as_ref().is_none_or(|reclaim| reclaim.may_ask(Instant::now()));
            if !self.subscribed && may_join {
                self.subscribe()?;
            }
            // librdkafka waits for whole milliseconds. Rounded down, what is left of the last one would go by in asking over and over.
            let remaining = deadline.saturating_duration_since(Instant::now()).as_micros().div_ceil(1000);
            let polled = match self.consumer.poll(Duration::from_millis(u64::try_from(remaining).unwrap_or(u64::MAX))) {
                // Nothing is fetched; a stray record has no meaning.
                None | Some(Ok(_)) => None,
                Some(Err(error)) => Some(error),
            };
            if let Some(error) = polled {
                self.on_error(&error)?;
            }
            let mut events = Vec::new();
            while let Some(event) = self.next_event()? {
                events.push(event);
            }
            if !events.is_empty() || Instant::now() >= deadline {
                return Ok(events);
            }
        }
    }

    fn assign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.answered(partitions, true)
    }

    fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.answered(partitions, false)
    }

    fn metadata(&self) -> Option<GroupMetadata> {
        if self.left || self.broken.is_some() {
            return None;
        }
        let metadata = Arc::new(Metadata::of(self.consumer.client())?);
        // The group coordinator takes a negative generation for "no member" and checks nothing.
        metadata.is_member().then(|| GroupMetadata {
            group: self.member.group.as_str().into(),
            generation: metadata.generation(),
            handle: Arc::new(GroupHandle { consumer: self.consumer.clone(), metadata }),
        })
    }

    fn leave(&mut self) -> Result<(), LogError> {
        if std::mem::replace(&mut self.left, true) {
            return Ok(());
        }
        let waiting = self.open.take().is_some();
        if retire::retire(self.consumer.clone(), waiting, self.config.connect_timeout) {
            return Ok(());
        }
        Err(LogError::Retriable(format!(
            "leaving group {:?} was not confirmed; the member's partitions move when its session ends",
            self.member.group
        )))
    }
}

impl Drop for KafkaMembership {
    fn drop(&mut self) {
        if let Err(error) = self.leave() {
            tracing::warn!("{error}");
        }
    }
}

fn open(config: &KafkaConfig, member: &MembershipConfig, consumer_protocol: bool) -> Result<GroupConsumer, LogError> {
    let secrets = Secrets::of(&config.rdkafka);
    options::membership(config, member, consumer_protocol)
        .create_with_context(MembershipContext::new(Context::new("membership", secrets.clone())))
        .map_err(|error| options::refusal(error, &secrets))
}

fn list<'a>(partitions: impl IntoIterator<Item = &'a TopicPartition>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        // The value is fixed and valid, so this cannot fail.
        let _ = list.add_partition(&partition.topic, partition.partition).set_offset(Offset::End);
    }
    list
}
