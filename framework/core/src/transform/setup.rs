use crate::codec::Codec;
use crate::inspect::{Shape, StoreKind};
use crate::operators::TimerHandler;
use crate::sort_key::SortKey;

use super::{List, Map, OnTimer, Output, Timer, Transform, Value};

/// A store as a transform declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreDeclaration {
    pub(crate) name: String,
    pub(crate) shape: Shape,
}

/// Where a transform declares what it has. Names are the user's and stay: state is found again by them after a change of the
/// code. A store's full name is `<transform>-<name>`, its changelog `<app>-<transform>-<name>-changelog`.
pub struct Setup<T: Transform> {
    pub(crate) stores: Vec<StoreDeclaration>,
    pub(crate) outputs: Vec<String>,
    pub(crate) timer: Option<TimerHandler<T>>,
}

impl<T: Transform> Setup<T> {
    /// Runs the transform's own setup, keeping what it declared.
    pub(crate) fn run() -> (T, Setup<T>) {
        let mut setup = Setup { stores: Vec::new(), outputs: Vec::new(), timer: None };
        let transform = T::setup(&mut setup);
        (transform, setup)
    }

    /// One value per key.
    pub fn value<V, C: Codec<V>>(&mut self, name: &str) -> Value<V, C> {
        Value::in_slot(self.store(name, Shape::valued::<T::Key, V, C>(StoreKind::OneValue)))
    }

    /// A sorted map per key.
    pub fn map<M: SortKey, V, C: Codec<V>>(&mut self, name: &str) -> Map<M, V, C> {
        Map::in_slot(self.store(name, Shape::map::<T::Key, M, V, C>()))
    }

    /// A queue per key.
    pub fn list<V, C: Codec<V>>(&mut self, name: &str) -> List<V, C> {
        List::in_slot(self.store(name, Shape::valued::<T::Key, V, C>(StoreKind::Queue)))
    }

    /// Event-time timers per key.
    pub fn timer(&mut self, name: &str) -> Timer
    where
        T: OnTimer,
    {
        self.timer = Some(T::on_timer);
        Timer::in_slot(self.store(name, Shape::timer::<T::Key>()))
    }

    /// An output for events of type `E`; connect it with [`Transformed::output`](crate::Transformed::output).
    pub fn output<E: 'static>(&mut self, name: &str) -> Output<E> {
        self.outputs.push(name.to_owned());
        Output::numbered(self.outputs.len() - 1)
    }

    fn store(&mut self, name: &str, shape: Shape) -> usize {
        self.stores.push(StoreDeclaration { name: name.to_owned(), shape });
        self.stores.len() - 1
    }
}
