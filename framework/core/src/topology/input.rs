use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::{Graph, Make, NodeSpec, SourceRole, SourceSpec, Stream};
use crate::bounded::TimeRange;
use crate::codec::{Codec, Json};
use crate::inspect::Types;
use crate::key::Key;
use crate::operators::{Source, StreamSource, TimestampOf};
use crate::policy::Policy;
use crate::time::{Timestamp, hours};

const MAX_FUTURE: Duration = hours(1);

/// A topic read as a stream, with the settings only an input has. Use it like the [`Stream`] it is.
pub struct Input<K, V, C = Json> {
    stream: Stream<K, V>,
    codec: PhantomData<fn(C)>,
}

impl<K: Key, V: 'static, C: Codec<V>> Input<K, V, C> {
    pub(super) fn declare(graph: Rc<RefCell<Graph>>, topic: &str) -> Input<K, V, C> {
        let source = SourceSpec {
            topic: topic.into(),
            role: SourceRole::Stream,
            out_of_orderness: Duration::ZERO,
            policy: Some(Policy::default()),
            max_future: Some(MAX_FUTURE),
            types: Types::of::<K, V, C>(),
            is_record_time: true,
            sees: TimeRange::ALL,
            is_history: false,
            make: Arc::new(|| make::<K, V, C>(None)),
        };
        let node = graph.borrow_mut().add(NodeSpec::new(topic, Make::Source(source)));
        Input { stream: Stream::of(graph, node, 0), codec: PhantomData }
    }

    /// How far behind a partition's newest record an older one may come without being late. Event time runs this far behind.
    /// Default: none, every record is expected in order.
    pub fn out_of_order(self, bound: Duration) -> Self {
        self.configure(|source| source.out_of_orderness = bound)
    }

    /// Takes event time from the value; the second argument is the record's own timestamp, which is the default.
    pub fn timestamp(self, of: impl Fn(&V, Timestamp) -> Timestamp + Send + Sync + 'static) -> Self {
        let of: TimestampOf<V> = Arc::new(of);
        self.configure(|source| {
            source.is_record_time = false;
            source.make = Arc::new(move || make::<K, V, C>(Some(Arc::clone(&of))));
        })
    }

    /// What happens to records that cannot be decoded or processed, or whose results cannot be written. Records behind a
    /// [`rekey`](Stream::rekey) go by it too unless that says otherwise. Default: [`Policy::Fail`].
    pub fn on_error(self, policy: Policy) -> Self {
        self.configure(|source| source.policy = Some(policy))
    }

    /// How far ahead of the time it was appended to the topic a record's event time may be. One beyond that goes by the input's policy
    /// and never moves event time, so that a single wrong date makes nothing late. None switches the check off. Default: one hour, as the
    /// brokers have it for record timestamps (`message.timestamp.after.max.ms`, KIP-1030).
    ///
    /// The append time is the record's timestamp where the topic has `message.timestamp.type=LogAppendTime`: then a replay decides
    /// as the live run did. Elsewhere it is not recorded, and the wall time at which the record was fetched stands for it, which
    /// is never earlier: a record that was too far ahead may be accepted when it is read again later, never the other way round.
    pub fn max_future(self, bound: impl Into<Option<Duration>>) -> Self {
        let bound = bound.into();
        self.configure(|source| source.max_future = bound)
    }

    fn configure(self, change: impl FnOnce(&mut SourceSpec)) -> Self {
        if let Make::Source(source) = &mut self.stream.graph.borrow_mut().nodes[self.stream.node].make {
            change(source);
        }
        self
    }
}

fn make<K: Key, V: 'static, C: Codec<V>>(timestamp: Option<TimestampOf<V>>) -> Box<dyn Source> {
    Box::new(StreamSource::<K, V, C> { timestamp, loaded: None, codec: PhantomData })
}

impl<K, V, C> Deref for Input<K, V, C> {
    type Target = Stream<K, V>;
    fn deref(&self) -> &Stream<K, V> {
        &self.stream
    }
}
