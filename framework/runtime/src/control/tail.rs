use std::time::{Duration, Instant};

use headwater_core::port::{LogError, Reader};
use headwater_core::{ControlState, TopicName, TopicPartition};

use super::pause;
use crate::RunError;

/// How long one poll waits.
const WAIT: Duration = Duration::from_millis(50);

/// Reads a control topic, and reads on in it as it grows.
pub(crate) struct Tail {
    reader: Box<dyn Reader>,
    partition: TopicPartition,
    /// The next offset; none before the first look.
    position: Option<i64>,
    state: ControlState,
}

impl Tail {
    pub(crate) fn of(topic: &TopicName, reader: Box<dyn Reader>) -> Tail {
        let partition = TopicPartition { topic: topic.clone(), partition: 0 };
        Tail { reader, partition, position: None, state: ControlState::default() }
    }

    /// What the topic says by now, all of it that was there when this was called.
    ///
    /// # Errors
    /// [`LogError::Retriable`] if that could not be read within `limit` and nothing more comes now. With a limit of zero nothing is waited for.
    pub(crate) fn look(&mut self, limit: Duration) -> Result<&ControlState, RunError> {
        let began = Instant::now();
        let ends = loop {
            match self.reader.ends(std::slice::from_ref(&self.partition)) {
                // A broker that is away may be back before the time is up.
                Err(LogError::Retriable(_)) if began.elapsed() < limit => pause(1),
                ends => break ends?.first().copied(),
            }
        };
        let Some(ends) = ends else { return Ok(&self.state) };
        let mut position = match self.position {
            Some(position) => position,
            // Nothing there: assigned when there is.
            None if ends.start >= ends.end => return Ok(&self.state),
            None => {
                self.reader.assign(&[(self.partition.clone(), ends.start)])?;
                *self.position.insert(ends.start)
            }
        };
        while position < ends.end {
            let before = position;
            for batch in self.reader.poll(1000, limit.min(WAIT))? {
                for record in &batch.records {
                    let Some(key) = &record.key else { continue };
                    let applied = self.state.apply(key, record.value.as_deref());
                    applied.map_err(|error| RunError::Control { topic: self.partition.topic.to_string(), error })?;
                }
                position = *self.position.insert(batch.position);
            }
            if position == before && began.elapsed() >= limit {
                let (topic, end) = (&self.partition.topic, ends.end);
                return Err(LogError::Retriable(format!("{topic:?} was read to {position} of {end} only in {limit:?}")).into());
            }
        }
        Ok(&self.state)
    }

    /// What the last look saw.
    pub(crate) fn state(&self) -> &ControlState {
        &self.state
    }

    pub(crate) fn into_state(self) -> ControlState {
        self.state
    }
}
