use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::{Changelog, Graph, Make, NodeSpec, SourceRole, SourceSpec, StoreSpec};
use crate::bounded::TimeRange;
use crate::codec::{Codec, Json};
use crate::inspect::{Shape, StoreKind, Types};
use crate::key::Key;
use crate::operators::TableSource;
use crate::policy::Policy;

/// A topic read as a table: the newest value per key, by offset. At a start, streams that join it wait until it has been read
/// to the end it had then; afterwards its records take their turn by event time.
pub struct Table<K, V, C = Json> {
    pub(super) graph: Rc<RefCell<Graph>>,
    pub(super) node: usize,
    pub(super) store: usize,
    types: PhantomData<fn(K, V, C)>,
}

impl<K: Key, V: 'static, C: Codec<V>> Table<K, V, C> {
    pub(super) fn declare(graph: Rc<RefCell<Graph>>, topic: &str) -> Table<K, V, C> {
        let mut nodes = graph.borrow_mut();
        let store = nodes.stores.len();
        let shape = Shape::valued::<K, V, C>(StoreKind::TopicTable);
        nodes.stores.push(StoreSpec {
            name: topic.to_owned(),
            changelog: Changelog::Source(topic.into()),
            due_after: None,
            shape,
        });
        let source = SourceSpec {
            topic: topic.into(),
            role: SourceRole::Table,
            out_of_orderness: Duration::ZERO,
            policy: Some(Policy::default()),
            max_future: None,
            types: Types::of::<K, V, C>(),
            is_record_time: true,
            sees: TimeRange::ALL,
            is_history: false,
            make: Arc::new(|| Box::new(TableSource::<K, V, C> { loaded: None, types: PhantomData })),
        };
        let node = nodes.add(NodeSpec { stores: vec![store], ..NodeSpec::new(topic, Make::Source(source)) });
        drop(nodes);
        Table { graph, node, store, types: PhantomData }
    }

    /// What happens to records that cannot be decoded. Default: [`Policy::Fail`].
    pub fn on_error(self, policy: Policy) -> Self {
        if let Make::Source(source) = &mut self.graph.borrow_mut().nodes[self.node].make {
            source.policy = Some(policy);
        }
        self
    }
}
