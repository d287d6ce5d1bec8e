use std::marker::PhantomData;
use std::sync::Arc;

use super::Stream;
use crate::codec::{Codec, Json};
use crate::inspect::Shape;
use crate::key::Key;
use crate::operators;
use crate::reach::Reach;
use crate::reduce::{At, Reduce};
use crate::window::{Tumbling, Windowed};

/// A stream divided into windows.
pub struct WindowedStream<K, V> {
    stream: Stream<K, V>,
    windows: Tumbling,
}

impl<K: Key, V: 'static> WindowedStream<K, V> {
    pub(super) fn of(stream: Stream<K, V>, windows: Tumbling) -> WindowedStream<K, V> {
        WindowedStream { stream, windows }
    }

    /// Folds the events of each key and window into a state that is removed when the window closes, emitting as the
    /// reducer says. Events for a closed window are dropped and counted as late. `name` names the store and its changelog.
    pub fn reduce<R>(&self, name: &str) -> Stream<Windowed<K>, R::Out>
    where
        R: Reduce<Key = K, Event = V>,
        R::State: 'static,
        R::Out: 'static,
        Json: Codec<R::State>,
    {
        self.reduce_as::<R, Json>(name)
    }

    /// The same with a codec of your own for the state.
    pub fn reduce_as<R, C>(&self, name: &str) -> Stream<Windowed<K>, R::Out>
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
    ) -> Stream<Windowed<K>, O>
    where
        S: Default + 'static,
        O: 'static,
        Json: Codec<S>,
    {
        self.fold_as::<Json, S, O>(name, function)
    }

    /// The same with a codec of your own for the state: `fold_as::<MyCodec, _, _>(name, function)`.
    pub fn fold_as<C, S, O>(
        &self,
        name: &str,
        function: impl Fn(&mut S, &V, &At<'_, K>) -> Option<O> + Send + Sync + 'static,
    ) -> Stream<Windowed<K>, O>
    where
        S: Default + 'static,
        O: 'static,
        C: Codec<S>,
    {
        let function = Arc::new(function);
        let windows = self.windows;
        let store = self.stream.graph.borrow_mut().add_store(name, Some(windows.lifetime()), Shape::window::<K, S, C>(windows));
        self.stream
            .then(Some(name), "window_reduce", vec![store], move || {
                Box::new(operators::WindowedReduce::<K, V, S, O, C, _> {
                    function: Arc::clone(&function),
                    windows,
                    key: Vec::new(),
                    entry: Vec::new(),
                    cell: Vec::new(),
                    types: PhantomData,
                })
            })
            .reaching(Reach::Within(windows.lifetime()), Some(windows))
    }

    /// How many events each key had in each window, emitted with every event.
    pub fn count(&self, name: &str) -> Stream<Windowed<K>, u64> {
        self.fold(name, |count: &mut u64, _, _| {
            *count += 1;
            Some(*count)
        })
    }
}
