//! Operators without state.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{Operator, Step, typed};
use crate::failure::Failure;

type Function<F> = Arc<F>;

/// One value in, one value out.
pub(crate) struct Map<K, V, R, F> {
    pub(crate) function: Function<F>,
    pub(crate) types: PhantomData<fn(K, V) -> R>,
}

impl<K: 'static, V: 'static, R: 'static, F: Fn(&K, &V) -> R> Operator for Map<K, V, R, F> {
    fn process(&mut self, _port: usize, key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure> {
        let mapped = (self.function)(typed(key), typed(value));
        step.forward(0, key, &mapped)
    }
}

/// One value in, any number out.
pub(crate) struct FlatMap<V, I, F> {
    pub(crate) function: Function<F>,
    pub(crate) types: PhantomData<fn(V) -> I>,
}

impl<V: 'static, R: 'static, I: IntoIterator<Item = R> + 'static, F: Fn(&V) -> I> Operator for FlatMap<V, I, F> {
    fn process(&mut self, _port: usize, key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure> {
        for mapped in (self.function)(typed(value)) {
            step.forward(0, key, &mapped)?;
        }
        Ok(())
    }
}

/// Lets values pass for which the predicate holds.
pub(crate) struct Filter<V, F> {
    pub(crate) predicate: Function<F>,
    pub(crate) types: PhantomData<fn(V)>,
}

impl<V: 'static, F: Fn(&V) -> bool> Operator for Filter<V, F> {
    fn process(&mut self, _port: usize, key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure> {
        if (self.predicate)(typed(value)) { step.forward(0, key, value) } else { Ok(()) }
    }
}

/// Sends values for which the predicate holds to output 0 and the others to output 1.
pub(crate) struct Branch<V, F> {
    pub(crate) predicate: Function<F>,
    pub(crate) types: PhantomData<fn(V)>,
}

impl<V: 'static, F: Fn(&V) -> bool> Operator for Branch<V, F> {
    fn process(&mut self, _port: usize, key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure> {
        let output = usize::from(!(self.predicate)(typed(value)));
        step.forward(output, key, value)
    }
}

/// Passes on what comes in, by whichever port.
pub(crate) struct Merge;

impl Operator for Merge {
    fn process(&mut self, _port: usize, key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure> {
        step.forward(0, key, value)
    }
}

/// Gives each value a new key; a repartition topic follows.
pub(crate) struct Rekey<V, K, F> {
    pub(crate) function: Function<F>,
    pub(crate) types: PhantomData<fn(V) -> K>,
}

impl<V: 'static, K: 'static, F: Fn(&V) -> K> Operator for Rekey<V, K, F> {
    fn process(&mut self, _port: usize, _key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure> {
        let key = (self.function)(typed(value));
        step.forward(0, &key, value)
    }
}
