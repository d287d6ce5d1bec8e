use headwater_benches::model::Kind;
use headwater_benches::{Job, REPARTITION, STORE, WINDOW, Workload};
use headwater_core::partition_for;
use serde::Serialize;

use crate::client::Sender;
use crate::messages::{Counted, Event, Joined, Mapped, Profile, Total, WindowTotal};
use crate::native::Received;
use crate::state::Databases;

/// What a worker does with one record.
pub(crate) struct Step<'a> {
    workload: Workload,
    memo_digits: usize,
    partitions: i32,
    databases: &'a Databases,
    sender: &'a Sender,
    output: String,
    changelog: String,
    repartition: String,
    /// The result, as JSON, and the key of a window's sum; kept for their memory.
    json: Vec<u8>,
    windowed: Vec<u8>,
}

impl<'a> Step<'a> {
    pub(crate) fn new(job: &Job, databases: &'a Databases, sender: &'a Sender) -> Step<'a> {
        Step {
            workload: job.workload,
            memo_digits: job.memo_digits,
            partitions: job.partitions,
            databases,
            sender,
            output: job.output(),
            changelog: format!("{}-{STORE}-changelog", job.app),
            repartition: format!("{}-{REPARTITION}-repartition", job.app),
            json: Vec::with_capacity(256),
            windowed: Vec::with_capacity(64),
        }
    }

    /// A record of the input.
    pub(crate) fn input(&mut self, record: &Received<'_>) -> Result<(), String> {
        let event: Event<'_> = decode(record)?;
        match self.workload {
            Workload::W1 if event.amount.is_multiple_of(10) => Ok(()),
            Workload::W1 => {
                let (cents, kind) = (event.amount * 100, Kind::of(event.amount));
                self.say(record, &Mapped { id: event.id, account: event.account, cents, ts: event.ts, kind })
            }
            Workload::W2 | Workload::W5 | Workload::W6 => {
                let (sum, bytes) = self.databases.add(record.partition, record.key, event.amount)?;
                self.sender.send(&self.changelog, record.partition, record.key, &bytes, record.timestamp)?;
                self.say(record, &Total { account: event.account, count: sum.count, sum: sum.sum })
            }
            Workload::W3 => self.window(record, &event),
            Workload::W4 => self.join(record, &event),
            Workload::W7 => {
                let key = self.group_of(&event).as_bytes();
                self.json.clear();
                encode(&mut self.json, &event)?;
                let partition = partition_for(Some(key), self.partitions, 0);
                self.sender.send(&self.repartition, partition, key, &self.json, record.timestamp)
            }
        }
    }

    fn window(&mut self, record: &Received<'_>, event: &Event<'_>) -> Result<(), String> {
        let size = WINDOW.as_millis() as i64;
        let window = record.timestamp - record.timestamp.rem_euclid(size);
        self.windowed.clear();
        self.windowed.extend_from_slice(record.key);
        self.windowed.extend_from_slice(&window.to_be_bytes());
        let (sum, bytes) = self.databases.add(record.partition, &self.windowed, event.amount)?;
        self.sender.send(&self.changelog, record.partition, &self.windowed, &bytes, record.timestamp)?;
        self.say(record, &WindowTotal { account: event.account, window, count: sum.count, sum: sum.sum })
    }

    fn join(&mut self, record: &Received<'_>, event: &Event<'_>) -> Result<(), String> {
        let databases = self.databases;
        databases.get(record.partition, record.key, |row| {
            let Some(row) = row else { return Ok(()) };
            let Profile { tier, region } = serde_json::from_slice(row).map_err(|error| format!("a row: {error}"))?;
            let Event { id, account, amount, ts, .. } = *event;
            self.say(record, &Joined { id, account, amount, ts, tier, region })
        })?
    }

    /// A record of the table.
    pub(crate) fn row(&self, record: &Received<'_>) -> Result<(), String> {
        self.databases.put(record.partition, record.key, record.value)
    }

    /// A record of the repartition topic.
    pub(crate) fn rekeyed(&mut self, record: &Received<'_>) -> Result<(), String> {
        let event: Event<'_> = decode(record)?;
        let (sum, bytes) = self.databases.add(record.partition, record.key, event.amount)?;
        self.sender.send(&self.changelog, record.partition, record.key, &bytes, record.timestamp)?;
        let memo = self.group_of(&event);
        self.say(record, &Counted { memo, count: sum.count })
    }

    /// What W7 counts by.
    fn group_of<'e>(&self, event: &Event<'e>) -> &'e str {
        event.memo.get(..self.memo_digits).unwrap_or(event.memo)
    }

    /// A result under the record's key and so in its partition.
    fn say(&mut self, record: &Received<'_>, result: &impl Serialize) -> Result<(), String> {
        self.json.clear();
        encode(&mut self.json, result)?;
        self.sender.send(&self.output, record.partition, record.key, &self.json, record.timestamp)
    }
}

fn decode<'a>(record: &Received<'a>) -> Result<Event<'a>, String> {
    serde_json::from_slice(record.value)
        .map_err(|error| format!("offset {} of partition {}: {error}", record.offset, record.partition))
}

fn encode(json: &mut Vec<u8>, value: &impl Serialize) -> Result<(), String> {
    serde_json::to_writer(json, value).map_err(|error| format!("a result cannot be written as JSON: {error}"))
}
