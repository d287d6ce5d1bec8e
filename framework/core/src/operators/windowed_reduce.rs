use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;

use super::reduce::held;
use super::{Operator, Step, typed};
use crate::codec::Codec;
use crate::failure::Failure;
use crate::key::Key;
use crate::reduce::At;
use crate::state::{cell, layout};
use crate::window::{Tumbling, Windowed};

/// Folds events per key and window. Its store (slot 0) is ordered by window start, so that closed windows are found without
/// looking at open ones; an entry is due for removal when its window has closed.
pub(crate) struct WindowedReduce<K, E, S, O, C, F> {
    pub(crate) function: Arc<F>,
    pub(crate) windows: Tumbling,
    pub(crate) key: Vec<u8>,
    pub(crate) entry: Vec<u8>,
    pub(crate) cell: Vec<u8>,
    pub(crate) types: PhantomData<fn(K, E, C) -> (S, O)>,
}

impl<K, E, S, O, C, F> Operator for WindowedReduce<K, E, S, O, C, F>
where
    K: Key,
    E: 'static,
    S: Default + 'static,
    O: 'static,
    C: Codec<S>,
    F: Fn(&mut S, &E, &At<'_, K>) -> Option<O>,
{
    fn process(&mut self, _port: usize, key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure> {
        let key: &K = typed(key);
        let window = self.windows.window_of(step.timestamp);
        if step.watermark >= self.windows.closes_at(window) {
            let place = step.name().to_owned();
            step.state.drop_record(&place, "late");
            return Ok(());
        }
        self.key.clear();
        key.encode(&mut self.key);
        layout::timed(window.start(), &self.key, &mut self.entry);
        let store = step.store(0);
        let timestamp = step.timestamp;
        let (mut state, newest) = step.state.read(store, &self.entry, |stored| held::<S, C>(stored, timestamp))??;
        let out = (self.function)(&mut state, typed(value), &At { key, window: Some(window), timestamp: step.timestamp });
        cell::begin(newest, &mut self.cell);
        C::encode(&state, &mut self.cell)?;
        step.state.put(store, &self.entry, Some(Bytes::copy_from_slice(&self.cell)));
        match out {
            Some(out) => step.forward_at(0, &Windowed { key: key.clone(), window }, &out, newest),
            None => Ok(()),
        }
    }
}
