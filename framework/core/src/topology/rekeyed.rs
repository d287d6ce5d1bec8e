use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::{Graph, Make, NodeSpec, SourceRole, SourceSpec, Stream};
use crate::bounded::TimeRange;
use crate::codec::Codec;
use crate::inspect::Types;
use crate::key::Key;
use crate::operators::StreamSource;
use crate::policy::Policy;
use crate::record::TopicName;

/// A stream behind a repartition topic. Use it like the [`Stream`] it is.
pub struct Rekeyed<K, V> {
    stream: Stream<K, V>,
}

impl<K: Key, V: 'static> Rekeyed<K, V> {
    pub(super) fn declare<C: Codec<V>>(graph: Rc<RefCell<Graph>>, name: &str, topic: TopicName) -> Rekeyed<K, V> {
        let source = SourceSpec {
            topic,
            role: SourceRole::Repartition,
            out_of_orderness: Duration::ZERO,
            policy: None,
            max_future: None,
            types: Types::of::<K, V, C>(),
            is_record_time: true,
            sees: TimeRange::ALL,
            is_history: false,
            make: Arc::new(|| Box::new(StreamSource::<K, V, C> { timestamp: None, loaded: None, codec: PhantomData })),
        };
        let node = NodeSpec::new(format!("{name}-repartition-source"), Make::Source(source));
        let node = graph.borrow_mut().add(node);
        Rekeyed { stream: Stream::of(graph, node, 0) }
    }

    /// What happens to records that fail behind this rekey. Default: the policy of the inputs they come from; where those differ,
    /// the one that loses less (fail, then dead letter, then skip).
    pub fn on_error(self, policy: Policy) -> Self {
        if let Make::Source(source) = &mut self.stream.graph.borrow_mut().nodes[self.stream.node].make {
            source.policy = Some(policy);
        }
        self
    }
}

impl<K, V> Deref for Rekeyed<K, V> {
    type Target = Stream<K, V>;
    fn deref(&self) -> &Stream<K, V> {
        &self.stream
    }
}

impl<K, V> From<Rekeyed<K, V>> for Stream<K, V> {
    fn from(rekeyed: Rekeyed<K, V>) -> Stream<K, V> {
        rekeyed.stream
    }
}
