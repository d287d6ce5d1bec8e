use std::time::{Duration, Instant};

use headwater_benches::{Job, Workload};
use headwater_core::TopicPartition;
use headwater_core::port::{Ends, LogError, Reader};

use crate::stage::Stage;

/// What comes out of a repartition topic has come when there was nothing new for this long.
const QUIET: Duration = Duration::from_secs(1);

/// Whether a live application has processed and committed everything.
pub(crate) struct Progress {
    reader: Box<dyn Reader>,
    input: Vec<TopicPartition>,
    ends: Vec<Ends>,
    /// For what is behind a repartition topic, which is committed after the input: the results, how many there must be at least, and since when
    /// there are as many.
    results: Option<(Vec<TopicPartition>, i64)>,
    still: (i64, Instant),
}

impl Progress {
    /// Everything that the input has by now.
    pub(crate) fn of(stage: &Stage, job: &Job, output: &str, results: u64) -> Result<Progress, LogError> {
        let mut reader = stage.reader(&job.app)?;
        let input = stage.partitions_of(&job.input);
        let ends = reader.ends(&input)?;
        let behind = (job.workload == Workload::W7).then(|| (stage.partitions_of(output), results.cast_signed()));
        Ok(Progress { reader, input, ends, results: behind, still: (0, Instant::now()) })
    }

    pub(crate) fn is_done(&mut self) -> Result<bool, String> {
        match self.look() {
            Ok(is_done) => Ok(is_done),
            // The group may not be there yet, or just be moving.
            Err(LogError::Retriable(_)) => Ok(false),
            Err(error) => Err(format!("its positions: {error}")),
        }
    }

    fn look(&mut self) -> Result<bool, LogError> {
        let positions = self.reader.committed(&self.input)?;
        let is_at = |(position, ends): (&Option<_>, &Ends)| {
            ends.start == ends.end || position.as_ref().is_some_and(|at: &headwater_core::port::Committed| at.offset >= ends.end)
        };
        if !positions.iter().zip(&self.ends).all(is_at) {
            return Ok(false);
        }
        let Some((output, least)) = &self.results else { return Ok(true) };
        let there: i64 = self.reader.ends(output)?.iter().map(|Ends { start, end }| end - start).sum();
        if self.still.0 != there {
            self.still = (there, Instant::now());
        }
        Ok(there >= *least && self.still.1.elapsed() >= QUIET)
    }
}
