//! A consumer group from outside: its members and positions.

use std::time::{Duration, Instant};

use headwater_core::port::{Committed, LogError, MemberInfo};
use headwater_core::{Timestamp, TopicPartition};
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::error::{back_off, is_transient};
use crate::native::{self, AdminError, Client};

/// One try; a coordinator that is being found or loaded is asked again until [`PATIENCE`] is up.
const TRY: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(30);

/// A partition, by its offset or whatever else stands in an offset's place.
fn list(partitions: impl Iterator<Item = (TopicPartition, i64)>) -> Result<TopicPartitionList, LogError> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in partitions {
        list.add_partition(&partition.topic, partition.partition)
            .set_offset(Offset::Offset(offset))
            .map_err(|_| LogError::Fatal(format!("{offset} cannot be an offset of {partition}")))?;
    }
    Ok(list)
}

/// Positions and what is kept beside them.
pub(crate) fn positions(offsets: &[(TopicPartition, Committed)]) -> Result<TopicPartitionList, LogError> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, committed) in offsets {
        let mut element = list.add_partition(&partition.topic, partition.partition);
        element
            .set_offset(Offset::Offset(committed.offset))
            .map_err(|_| LogError::Fatal(format!("{} cannot be committed for {partition}", committed.offset)))?;
        if !committed.metadata.is_empty() {
            element.set_metadata(&committed.metadata);
        }
    }
    Ok(list)
}

pub(crate) fn members(client: &Client, group: &str) -> Result<Vec<MemberInfo>, LogError> {
    let found = patiently(&format!("describing group {group:?}"), || native::members(client, group, TRY))?;
    Ok(found.into_iter().map(|member| MemberInfo { id: member.id, instance: member.instance, host: member.host }).collect())
}

pub(crate) fn set_positions(client: &Client, group: &str, positions: &[(TopicPartition, Committed)]) -> Result<(), LogError> {
    let list = self::positions(positions)?;
    patiently(&format!("setting positions of group {group:?}"), || native::set_positions(client, group, &list, TRY))
}

pub(crate) fn delete_positions(client: &Client, group: &str, partitions: &[TopicPartition]) -> Result<(), LogError> {
    let list = list(partitions.iter().map(|partition| (partition.clone(), 0)))?;
    let delete = || match native::delete_positions(client, group, &list, TRY) {
        // It has no positions.
        Err(error) if error.code == Code::GroupIdNotFound as i32 => Ok(()),
        result => result,
    };
    patiently(&format!("removing positions of group {group:?}"), delete)
}

pub(crate) fn offsets_at(client: &Client, times: &[(TopicPartition, Timestamp)]) -> Result<Vec<Option<i64>>, LogError> {
    let asked = times.iter().map(|(partition, time)| (partition.clone(), time.as_millis().max(0)));
    let asked = list(asked)?;
    let answer = patiently("looking up offsets by time", || {
        let mut answer = asked.clone();
        let looked = native::list_offsets(client, &mut answer, TRY);
        looked.map(|()| answer).map_err(|code| AdminError { code: code as i32, text: code.to_string() })
    })?;
    let found = times.iter().map(|(partition, _)| {
        let element = answer.find_partition(&partition.topic, partition.partition)?;
        match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    });
    Ok(found.collect())
}

/// Asks until the answer is not a passing trouble.
fn patiently<T>(what: &str, mut ask: impl FnMut() -> Result<T, AdminError>) -> Result<T, LogError> {
    let started = Instant::now();
    loop {
        let error = match ask() {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let code = native::code_of(error.code);
        match code.is_some_and(is_transient) {
            true if started.elapsed() < PATIENCE => back_off(),
            true => return Err(LogError::Retriable(format!("{what}: {}", error.text))),
            false => return Err(LogError::Fatal(format!("{what}: {}", error.text))),
        }
    }
}
