use std::marker::PhantomData;

use super::Cx;
use crate::failure::Failure;
use crate::key::Key;

/// One output of a transform, carrying events of type `E` under the current key.
#[derive(Debug)]
pub struct Output<E> {
    pub(crate) number: usize,
    types: PhantomData<fn(E)>,
}

impl<E: 'static> Output<E> {
    pub(super) fn numbered(number: usize) -> Output<E> {
        Output { number, types: PhantomData }
    }

    /// Sends an event on, with the current event time.
    pub fn send<K: Key>(&self, cx: &mut Cx<'_, K>, event: &E) -> Result<(), Failure> {
        let key = cx.key();
        cx.step.forward(self.number, key, event)
    }
}
