use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use headwater_core::port::{Delivery, Sink, SinkError, SinkWriter};
use headwater_core::{Codec, Json, Key, ReplayEffect, Timestamp};

use crate::Out;

/// A system outside of the log, for tests: shows what reached it, and fails when it is told to. A clone is the same system.
///
/// It keeps what it is handed until the flush, so that what is lost by a crash or taken back by an abort never shows.
///
/// ```
/// use headwater_core::{ReplayEffect, Timestamp};
/// use headwater_testkit::{TestDriver, TestSink};
///
/// let mail = TestSink::new(ReplayEffect::Forbidden);
/// let mut driver = TestDriver::new("app", |t| t.input::<String, u64>("events").deliver("mail", mail.clone()));
/// driver.send("events", &"a".to_owned(), &7, Timestamp::from_millis(1));
/// let arrived = mail.arrived::<String, u64>();
/// assert_eq!((arrived[0].key.as_str(), arrived[0].value), ("a", 7));
/// ```
#[derive(Clone, Debug)]
pub struct TestSink {
    effect: ReplayEffect,
    shared: Arc<Mutex<Shared>>,
}

/// What was asked of a [`TestSink`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkCall {
    /// A writer was opened, for this task.
    Open(String),
    /// A record was handed over.
    Deliver,
    /// What was handed over is to last.
    Flush,
    /// What was handed over is to be forgotten.
    Discard,
}

#[derive(Debug, Default)]
struct Shared {
    calls: Vec<SinkCall>,
    arrived: Vec<(Vec<u8>, Vec<u8>, Timestamp)>,
    failures: VecDeque<(SinkCall, SinkError)>,
}

impl TestSink {
    /// One that declares this.
    pub fn new(effect: ReplayEffect) -> TestSink {
        TestSink { effect, shared: Arc::default() }
    }

    /// Makes the next call of this kind fail, or the one after those that were asked for before. The task of [`SinkCall::Open`] does not matter.
    pub fn fail(&self, call: SinkCall, error: SinkError) {
        self.with(|shared| shared.failures.push_back((call, error)));
    }

    /// Everything that was flushed, in this order; values in JSON.
    ///
    /// # Panics
    /// When a key or value is of another type.
    pub fn arrived<K: Key, V>(&self) -> Vec<Out<K, V>>
    where
        Json: Codec<V>,
    {
        let decode = |(key, value, timestamp): &(Vec<u8>, Vec<u8>, Timestamp)| Out {
            key: K::decode(key).unwrap_or_else(|error| panic!("{error}")),
            value: <Json as Codec<V>>::decode(value).unwrap_or_else(|error| panic!("{error}")),
            timestamp: *timestamp,
        };
        self.with(|shared| shared.arrived.iter().map(decode).collect())
    }

    /// Everything that was asked of it, in this order.
    pub fn calls(&self) -> Vec<SinkCall> {
        self.with(|shared| shared.calls.clone())
    }

    fn with<T>(&self, look: impl FnOnce(&mut Shared) -> T) -> T {
        look(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a call; fails if it is to.
    fn called(&self, call: SinkCall) -> Result<(), SinkError> {
        let same = |other: &SinkCall| std::mem::discriminant(other) == std::mem::discriminant(&call);
        self.with(|shared| {
            let failure = shared.failures.iter().position(|(at, _)| same(at)).and_then(|at| shared.failures.remove(at));
            shared.calls.push(call.clone());
            failure.map_or(Ok(()), |(_, error)| Err(error))
        })
    }
}

impl Sink for TestSink {
    fn replay_effect(&self) -> ReplayEffect {
        self.effect
    }

    fn open(&self, task: &str) -> Result<Box<dyn SinkWriter>, SinkError> {
        self.called(SinkCall::Open(task.to_owned()))?;
        Ok(Box::new(Writer { sink: self.clone(), taken: Vec::new() }))
    }
}

struct Writer {
    sink: TestSink,
    taken: Vec<(Vec<u8>, Vec<u8>, Timestamp)>,
}

impl SinkWriter for Writer {
    fn deliver(&mut self, delivery: Delivery<'_>) -> Result<(), SinkError> {
        self.sink.called(SinkCall::Deliver)?;
        self.taken.push((delivery.key.to_vec(), delivery.value.to_vec(), delivery.timestamp));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.sink.called(SinkCall::Flush)?;
        self.sink.with(|shared| shared.arrived.append(&mut self.taken));
        Ok(())
    }

    fn discard(&mut self) {
        // It has no way to fail.
        let _ = self.sink.called(SinkCall::Discard);
        self.taken.clear();
    }
}
