use std::marker::PhantomData;
use std::sync::Arc;

use super::{DeliverySpec, Make, NodeSpec, Stream};
use crate::codec::{Codec, Json};
use crate::key::Key;
use crate::operators::Deliver;
use crate::port::Sink;

impl<K: Key, V: 'static> Stream<K, V> {
    /// Delivers the events to a system outside of the log, values as JSON. Names are unique in the application; a bounded run
    /// leaves the sink out if that declares [`ReplayEffect::Forbidden`](crate::ReplayEffect::Forbidden) and is not named by the run. A value
    /// that cannot be encoded goes by its input's policy; a sink that refuses one stops the application.
    pub fn deliver(&self, name: &str, sink: impl Sink + 'static)
    where
        Json: Codec<V>,
    {
        self.deliver_as::<Json>(name, sink);
    }

    /// The same with a codec of your own.
    pub fn deliver_as<C: Codec<V>>(&self, name: &str, sink: impl Sink + 'static) {
        let make = Make::Delivery(DeliverySpec {
            effect: sink.replay_effect(),
            sink: Arc::new(sink),
            make: Arc::new(|sink| Box::new(Deliver::<K, V, C> { sink, types: PhantomData })),
            belongs: |key, timestamp| K::window_start(key).unwrap_or(timestamp),
        });
        self.graph.borrow_mut().add_after(self.node, self.output, NodeSpec::new(name, make));
    }
}
