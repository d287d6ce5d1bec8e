use std::sync::Arc;

use thiserror::Error;

use crate::replay::ReplayEffect;
use crate::time::Timestamp;

/// A system outside of the log that records are delivered to: declared in the topology with
/// [`Stream::deliver`](crate::Stream::deliver). One per name and process, shared by its threads.
///
/// ```
/// use std::sync::mpsc::{Sender, channel};
///
/// use headwater_core::port::{Delivery, Sink, SinkError, SinkWriter};
/// use headwater_core::{Blueprint, ReplayEffect, Topology};
///
/// /// Hands whole batches to somebody who sends them as mail.
/// struct Mail {
///     outbox: std::sync::Mutex<Sender<Vec<String>>>,
/// }
///
/// struct Batch {
///     outbox: Sender<Vec<String>>,
///     letters: Vec<String>,
/// }
///
/// impl Sink for Mail {
///     fn replay_effect(&self) -> ReplayEffect {
///         ReplayEffect::Forbidden // A mail that was sent cannot be taken back.
///     }
///
///     fn open(&self, _task: &str) -> Result<Box<dyn SinkWriter>, SinkError> {
///         let outbox = self.outbox.lock().map_err(|_| SinkError::Fatal("a thread panicked while it held the outbox".into()))?;
///         Ok(Box::new(Batch { outbox: outbox.clone(), letters: Vec::new() }))
///     }
/// }
///
/// impl SinkWriter for Batch {
///     fn deliver(&mut self, delivery: Delivery<'_>) -> Result<(), SinkError> {
///         self.letters.push(String::from_utf8_lossy(delivery.value).into_owned());
///         Ok(())
///     }
///
///     fn flush(&mut self) -> Result<(), SinkError> {
///         let letters = std::mem::take(&mut self.letters);
///         self.outbox.send(letters).map_err(|_| SinkError::Fatal("nobody sends mail any more".into()))
///     }
///
///     fn discard(&mut self) {
///         self.letters.clear();
///     }
/// }
///
/// let (outbox, _sent) = channel();
/// let mail = Mail { outbox: std::sync::Mutex::new(outbox) };
/// let blueprint = Blueprint::of("alarms", |t: &mut Topology| {
///     let alarms = t.input::<String, String>("events").filter(|text| text.contains("ALARM"));
///     alarms.to("alarms");
///     alarms.deliver("mail", mail);
/// });
/// assert_eq!(blueprint.unwrap().sinks()["mail"], ReplayEffect::Forbidden);
/// ```
pub trait Sink: Send + Sync {
    /// What a replay may do to it. Asked once, when the topology is described.
    fn replay_effect(&self) -> ReplayEffect;

    /// Makes the writer of one task (`<sub-topology>-<partition>`), when it has its first record to deliver. It stays until the task leaves
    /// the process, through aborted transactions too. May block; is called on the thread that will use the writer.
    ///
    /// # Errors
    /// As [`SinkWriter::deliver`].
    fn open(&self, task: &str) -> Result<Box<dyn SinkWriter>, SinkError>;
}

/// Several places of a topology may share one.
impl<S: Sink + ?Sized> Sink for Arc<S> {
    fn replay_effect(&self) -> ReplayEffect {
        (**self).replay_effect()
    }

    fn open(&self, task: &str) -> Result<Box<dyn SinkWriter>, SinkError> {
        (**self).open(task)
    }
}

/// One task's way to a [`Sink`]. Used by one thread.
///
/// **At least once.** Records are handed over as they are processed, once their whole way through the task has succeeded, and in its order.
/// The transaction that moves the task past them is committed only after [`flush`](SinkWriter::flush) has succeeded. If the process dies before
/// that commit, or the transaction is aborted, they come again, also those that were flushed. None is ever left out.
pub trait SinkWriter {
    /// Takes a record. It may be kept back until the flush.
    ///
    /// # Errors
    /// After [`SinkError::Retriable`] the transaction is aborted and everything since the last commit comes again, after a pause that
    /// doubles from 50 ms to 5 s. After [`SinkError::Fatal`] the application stops; a panic counts as that.
    fn deliver(&mut self, delivery: Delivery<'_>) -> Result<(), SinkError>;

    /// Makes everything taken so far lasting. Called before each commit if anything was taken since the last flush. It holds up
    /// the worker's transaction, which brokers end after `transaction.timeout.ms`.
    ///
    /// # Errors
    /// As [`deliver`](SinkWriter::deliver).
    fn flush(&mut self) -> Result<(), SinkError>;

    /// Forgets what was taken since the last flush: its transaction was aborted, and it comes again. What was flushed stays.
    fn discard(&mut self);
}

/// A record on its way out, borrowed for the length of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// Key bytes, as they would be written to a topic.
    pub key: &'a [u8],
    /// Value bytes by the codec that was declared: JSON, unless it was another.
    pub value: &'a [u8],
    /// Event time.
    pub timestamp: Timestamp,
}

/// Why a sink could not do what it was asked to. The text says what was tried, and where.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum SinkError {
    /// It may succeed when it is tried again.
    #[error("{0}")]
    Retriable(String),
    /// Trying again is of no use.
    #[error("{0}")]
    Fatal(String),
}
