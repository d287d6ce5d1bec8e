use std::time::{Duration, Instant};

use headwater_core::port::{Log, LogError, Reader, ReaderConfig};
use headwater_core::{ControlState, TopicPartition};

use crate::RunError;

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads on in a control topic as it grows.
pub(super) struct Tail {
    topic: String,
    reader: Box<dyn Reader>,
    partition: TopicPartition,
    /// The next offset; none before the first look.
    position: Option<i64>,
    state: ControlState,
}

impl Tail {
    pub(super) fn of(app: &str, log: &dyn Log) -> Result<Tail, LogError> {
        let topic = headwater_core::control_topic(app);
        let reader = log.reader(&ReaderConfig { group: app.to_owned(), read_uncommitted: false })?;
        let partition = TopicPartition::new(topic.as_str(), 0);
        Ok(Tail { topic, reader, partition, position: None, state: ControlState::default() })
    }

    /// What the topic says by now, all of it that was there when this was called.
    ///
    /// # Errors
    /// [`LogError::Retriable`] if that could not be read within 5 s.
    pub(super) fn look(&mut self) -> Result<&ControlState, RunError> {
        let partition = std::slice::from_ref(&self.partition);
        let Some(ends) = self.reader.ends(partition)?.first().copied() else { return Ok(&self.state) };
        let mut position = match self.position {
            Some(position) => position,
            None => {
                self.reader.assign(&[(self.partition.clone(), ends.start)])?;
                ends.start
            }
        };
        let began = Instant::now();
        while position < ends.end {
            if began.elapsed() > PATIENCE {
                let end = ends.end;
                return Err(LogError::Retriable(format!("{:?} was read to {position} of {end} only", self.topic)).into());
            }
            for batch in self.reader.poll(1000, Duration::from_millis(50))? {
                for record in &batch.records {
                    let Some(key) = &record.key else { continue };
                    let applied = self.state.apply(key, record.value.as_deref());
                    applied.map_err(|error| RunError::Control { topic: self.topic.clone(), error })?;
                }
                position = batch.position;
                self.position = Some(position);
            }
        }
        self.position = Some(position);
        Ok(&self.state)
    }
}
