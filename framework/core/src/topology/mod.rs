//! The API's front: inputs, streams, tables and what can be done with them. Every call adds nodes to one graph; nothing runs here.

mod deliver;
mod graph;
mod input;
mod join;
mod rekeyed;
mod stream;
mod table;
mod transformed;
mod windowed;

use std::cell::RefCell;
use std::rc::Rc;

pub(crate) use graph::{Changelog, DeliverySpec, Graph, Make, NodeSpec, SinkSpec, SourceRole, SourceSpec, StoreSpec};
pub use input::Input;
pub use rekeyed::Rekeyed;
pub use stream::Stream;
pub use table::Table;
pub use transformed::Transformed;
pub use windowed::WindowedStream;

use crate::codec::{Codec, Json};
use crate::key::Key;

/// A topology being described: handed to the application's `topology` function.
pub struct Topology {
    graph: Rc<RefCell<Graph>>,
}

impl Topology {
    pub(crate) fn new(app: &str) -> Topology {
        Topology { graph: Rc::new(RefCell::new(Graph::new(app))) }
    }

    /// A topic as a stream of events, values in JSON. Records without key or value are counted and left out.
    pub fn input<K: Key, V: 'static>(&mut self, topic: &str) -> Input<K, V>
    where
        Json: Codec<V>,
    {
        self.input_as::<K, V, Json>(topic)
    }

    /// The same with a codec of your own.
    pub fn input_as<K: Key, V: 'static, C: Codec<V>>(&mut self, topic: &str) -> Input<K, V, C> {
        Input::declare(Rc::clone(&self.graph), topic)
    }

    /// A topic as a table, the newest value per key, values in JSON. The topic itself is the store's changelog.
    pub fn table<K: Key, V: 'static>(&mut self, topic: &str) -> Table<K, V>
    where
        Json: Codec<V>,
    {
        self.table_as::<K, V, Json>(topic)
    }

    /// The same with a codec of your own.
    pub fn table_as<K: Key, V: 'static, C: Codec<V>>(&mut self, topic: &str) -> Table<K, V, C> {
        Table::declare(Rc::clone(&self.graph), topic)
    }

    /// The topic of the records that fail where the policy is [`Policy::DeadLetter`](crate::Policy::DeadLetter). Created by `run` if it
    /// is not there. Default: `<app>-dead-letters`.
    pub fn dead_letters(&mut self, topic: &str) {
        self.graph.borrow_mut().dead_letters = Some(topic.into());
    }

    pub(crate) fn into_graph(self) -> Graph {
        self.graph.take()
    }
}
