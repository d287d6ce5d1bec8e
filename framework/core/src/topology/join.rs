//! Joining a stream with a table.

use std::marker::PhantomData;
use std::sync::Arc;

use super::{Stream, Table};
use crate::codec::Codec;
use crate::key::Key;
use crate::operators;

impl<K: Key, V: 'static> Stream<K, V> {
    /// What the function makes of each event and the table's row of the same key; events without a row are left out. Stream
    /// and table must be co-partitioned. The row is the newest at the event's turn.
    pub fn join<T: 'static, R: 'static, C: Codec<T>>(
        &self,
        name: &str,
        table: &Table<K, T, C>,
        function: impl Fn(&V, &T) -> R + Send + Sync + 'static,
    ) -> Stream<K, R> {
        self.look_up(name, "join", table, move |event, row| row.map(|row| function(event, row)))
    }

    /// The same, but events without a row are kept: the function sees none in its place.
    pub fn left_join<T: 'static, R: 'static, C: Codec<T>>(
        &self,
        name: &str,
        table: &Table<K, T, C>,
        function: impl Fn(&V, Option<&T>) -> R + Send + Sync + 'static,
    ) -> Stream<K, R> {
        self.look_up(name, "left_join", table, move |event, row| Some(function(event, row)))
    }

    fn look_up<T: 'static, R: 'static, C: Codec<T>>(
        &self,
        name: &str,
        operation: &'static str,
        table: &Table<K, T, C>,
        function: impl Fn(&V, Option<&T>) -> Option<R> + Send + Sync + 'static,
    ) -> Stream<K, R> {
        let function = Arc::new(function);
        self.then(Some(name), operation, vec![table.store], move || {
            Box::new(operators::Join::<K, V, T, R, C, _> { function: Arc::clone(&function), key: Vec::new(), types: PhantomData })
        })
    }
}
