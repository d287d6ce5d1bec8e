use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use super::{Graph, Make, NodeSpec, Rekeyed, SinkSpec, Transformed, WindowedStream};
use crate::codec::{Codec, Json};
use crate::inspect::{Shape, StoreKind, type_name};
use crate::key::Key;
use crate::operators::{self, Operator, Sink};
use crate::reach::Reach;
use crate::reduce::{At, Reduce};
use crate::transform::{On, Transform};
use crate::window::Tumbling;

/// Events of type `V` under keys of type `K`. Cheap to clone: it stands for a place in the topology.
pub struct Stream<K, V> {
    pub(super) graph: Rc<RefCell<Graph>>,
    pub(super) node: usize,
    pub(super) output: usize,
    types: PhantomData<fn(K, V)>,
}

impl<K, V> Clone for Stream<K, V> {
    fn clone(&self) -> Stream<K, V> {
        Stream::of(Rc::clone(&self.graph), self.node, self.output)
    }
}

impl<K, V> Stream<K, V> {
    pub(super) fn of(graph: Rc<RefCell<Graph>>, node: usize, output: usize) -> Stream<K, V> {
        Stream { graph, node, output, types: PhantomData }
    }

    /// Adds an operator behind this stream. Without a name it gets a label for descriptions.
    pub(super) fn then<K2, V2>(
        &self,
        name: Option<&str>,
        operation: &'static str,
        stores: Vec<usize>,
        make: impl Fn() -> Box<dyn Operator> + Send + Sync + 'static,
    ) -> Stream<K2, V2> {
        let mut graph = self.graph.borrow_mut();
        let name = name.map_or_else(|| graph.label(self.node, operation), str::to_owned);
        let make = Make::Operator { operation, key: type_name::<K>(), make: Arc::new(make) };
        let node = graph.add_after(self.node, self.output, NodeSpec { stores, ..NodeSpec::new(name, make) });
        Stream::of(Rc::clone(&self.graph), node, 0)
    }
}

impl<K, V> Stream<K, V> {
    /// The same, of an operator whose state reaches this far back.
    pub(super) fn reaching(self, reach: Reach, windows: Option<Tumbling>) -> Stream<K, V> {
        let mut graph = self.graph.borrow_mut();
        let node = &mut graph.nodes[self.node];
        (node.reach, node.windows) = (reach, windows);
        drop(graph);
        self
    }
}

impl<K: Key, V: 'static> Stream<K, V> {
    /// One value for each value. The key stays: to change it, use [`rekey`](Stream::rekey).
    pub fn map<R: 'static>(&self, function: impl Fn(&V) -> R + Send + Sync + 'static) -> Stream<K, R> {
        self.map_with_key(move |_, value| function(value))
    }

    /// One value for each value, seeing the key.
    pub fn map_with_key<R: 'static>(&self, function: impl Fn(&K, &V) -> R + Send + Sync + 'static) -> Stream<K, R> {
        let function = Arc::new(function);
        self.then(None, "map", Vec::new(), move || {
            Box::new(operators::Map::<K, V, R, _> { function: Arc::clone(&function), types: PhantomData })
        })
    }

    /// Any number of values for each value.
    pub fn flat_map<R: 'static, I: IntoIterator<Item = R> + 'static>(
        &self,
        function: impl Fn(&V) -> I + Send + Sync + 'static,
    ) -> Stream<K, R> {
        let function = Arc::new(function);
        self.then(None, "flat_map", Vec::new(), move || {
            Box::new(operators::FlatMap::<V, I, _> { function: Arc::clone(&function), types: PhantomData })
        })
    }

    /// Only the values for which the predicate holds.
    pub fn filter(&self, predicate: impl Fn(&V) -> bool + Send + Sync + 'static) -> Stream<K, V> {
        let predicate = Arc::new(predicate);
        self.then(None, "filter", Vec::new(), move || {
            Box::new(operators::Filter { predicate: Arc::clone(&predicate), types: PhantomData })
        })
    }

    /// Two streams: the values for which the predicate holds, and the others.
    pub fn branch(&self, predicate: impl Fn(&V) -> bool + Send + Sync + 'static) -> (Stream<K, V>, Stream<K, V>) {
        let predicate = Arc::new(predicate);
        let yes: Stream<K, V> = self.then(None, "branch", Vec::new(), move || {
            Box::new(operators::Branch { predicate: Arc::clone(&predicate), types: PhantomData })
        });
        let no = Stream::of(Rc::clone(&yes.graph), yes.node, 1);
        (yes, no)
    }

    /// This stream and another as one. Their topics must be co-partitioned: they are read by the same task.
    pub fn merge(&self, other: &Stream<K, V>) -> Stream<K, V> {
        let merged = self.then(None, "merge", Vec::new(), || Box::new(operators::Merge));
        self.graph.borrow_mut().connect(other.node, other.output, merged.node, 1);
        merged
    }

    /// The same values under another key. They go through the repartition topic `<app>-<name>-repartition`, so that all
    /// values of a new key meet in one task; the topic carries the values as JSON.
    pub fn rekey<K2: Key>(&self, name: &str, key: impl Fn(&V) -> K2 + Send + Sync + 'static) -> Rekeyed<K2, V>
    where
        Json: Codec<V>,
    {
        self.rekey_as::<K2, Json>(name, key)
    }

    /// The same with a codec of your own for the repartition topic.
    pub fn rekey_as<K2: Key, C: Codec<V>>(&self, name: &str, key: impl Fn(&V) -> K2 + Send + Sync + 'static) -> Rekeyed<K2, V> {
        let function = Arc::new(key);
        let rekeyed: Stream<K2, V> = self.then(Some(name), "rekey", Vec::new(), move || {
            Box::new(operators::Rekey { function: Arc::clone(&function), types: PhantomData::<fn(V) -> K2> })
        });
        let topic = format!("{}-{name}-repartition", self.graph.borrow().app);
        rekeyed.sink::<C>(&format!("{name}-repartition-sink"), &topic, true);
        Rekeyed::declare::<C>(Rc::clone(&self.graph), name, topic.into())
    }

    /// Divides the stream into windows of event time; `reduce` or `fold` follows.
    pub fn window(&self, windows: Tumbling) -> WindowedStream<K, V> {
        WindowedStream::of(self.clone(), windows)
    }

    /// Folds the events of each key into a state that is kept for good, emitting as the reducer says. `name` names the
    /// store and its changelog.
    pub fn reduce<R>(&self, name: &str) -> Stream<K, R::Out>
    where
        R: Reduce<Key = K, Event = V>,
        R::State: 'static,
        R::Out: 'static,
        Json: Codec<R::State>,
    {
        self.reduce_as::<R, Json>(name)
    }

    /// The same with a codec of your own for the state.
    pub fn reduce_as<R, C>(&self, name: &str) -> Stream<K, R::Out>
    where
        R: Reduce<Key = K, Event = V>,
        R::State: 'static,
        R::Out: 'static,
        C: Codec<R::State>,
    {
        self.fold_as::<C, _, _>(name, R::reduce)
    }

    /// Like [`reduce`](Self::reduce), with a closure.
    pub fn fold<S, O>(
        &self,
        name: &str,
        function: impl Fn(&mut S, &V, &At<'_, K>) -> Option<O> + Send + Sync + 'static,
    ) -> Stream<K, O>
    where
        S: Default + 'static,
        O: 'static,
        Json: Codec<S>,
    {
        self.fold_as::<Json, S, O>(name, function)
    }

    /// The same with a codec of your own for the state: `fold_as::<MyCodec, _, _>(name, function)`. The state of a key is read and written
    /// with each of its events, so a compact codec makes a fold cheaper, and its changelog smaller.
    pub fn fold_as<C, S, O>(
        &self,
        name: &str,
        function: impl Fn(&mut S, &V, &At<'_, K>) -> Option<O> + Send + Sync + 'static,
    ) -> Stream<K, O>
    where
        S: Default + 'static,
        O: 'static,
        C: Codec<S>,
    {
        let function = Arc::new(function);
        let store = self.graph.borrow_mut().add_store(name, None, Shape::valued::<K, S, C>(StoreKind::Folded));
        self.then(Some(name), "reduce", vec![store], move || {
            Box::new(operators::Reduce::<K, V, S, O, C, _> {
                function: Arc::clone(&function),
                key: Vec::new(),
                cell: Vec::new(),
                types: PhantomData,
            })
        })
        .reaching(Reach::Unbounded, None)
    }

    /// How many events each key has had, emitted with every event.
    pub fn count(&self, name: &str) -> Stream<K, u64> {
        self.fold(name, |count: &mut u64, _, _| {
            *count += 1;
            Some(*count)
        })
    }

    /// Hands the events to a transform. Further inputs follow with [`Transformed::and`], its outputs with
    /// [`Transformed::output`].
    pub fn transform<T: Transform<Key = K> + On<V>>(&self, name: &str) -> Transformed<T> {
        Transformed::declare(self, name)
    }

    /// Writes the events to a topic, values as JSON, with their event time as timestamp.
    pub fn to(&self, topic: &str)
    where
        Json: Codec<V>,
    {
        self.to_as::<Json>(topic);
    }

    /// The same with a codec of your own.
    pub fn to_as<C: Codec<V>>(&self, topic: &str) {
        self.sink::<C>(&format!("to-{topic}"), topic, false);
    }

    fn sink<C: Codec<V>>(&self, name: &str, topic: &str, internal: bool) {
        let make = Make::Sink(SinkSpec {
            topic: topic.into(),
            internal,
            make: Arc::new(|sink, partitions| Box::new(Sink::<K, V, C> { sink, partitions, types: PhantomData })),
            belongs: |key, timestamp| K::window_start(key).unwrap_or(timestamp),
        });
        self.graph.borrow_mut().add_after(self.node, self.output, NodeSpec::new(name, make));
    }
}
