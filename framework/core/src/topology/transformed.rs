use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Stream;
use crate::failure::Failure;
use crate::inspect::StoreKind;
use crate::operators::{Handler, Operator, TransformNode, typed};
use crate::policy::Policy;
use crate::reach::Reach;
use crate::transform::{Cx, On, Output, Setup, Transform};

/// A transform in the topology: give it further inputs, take its outputs.
pub struct Transformed<T: Transform> {
    first: Stream<T::Key, ()>,
    handlers: Arc<Mutex<Vec<Handler<T>>>>,
    declared: T,
}

fn handler<T: Transform, E: HandledBy<T>>() -> Handler<T> {
    |transform, value, cx| E::hand_to(typed(value), transform, cx)
}

/// `T: On<E>`, read from the event's side. The compiler learns the event's type from the argument before it looks for a handler; asked
/// for `T: On<E>` it would take the only event that `T` handles for `E`, and then complain about the argument.
pub trait HandledBy<T: Transform>: Sized + 'static {
    /// Calls the handler.
    fn hand_to(&self, transform: &mut T, cx: &mut Cx<'_, T::Key>) -> Result<(), Failure>;
}

impl<E: 'static, T: On<E>> HandledBy<T> for E {
    fn hand_to(&self, transform: &mut T, cx: &mut Cx<'_, T::Key>) -> Result<(), Failure> {
        transform.on(self, cx)
    }
}

impl<T: Transform> Transformed<T> {
    pub(super) fn declare<E: 'static>(input: &Stream<T::Key, E>, name: &str) -> Transformed<T>
    where
        T: On<E>,
    {
        let (declared, setup) = Setup::<T>::run();
        let mut graph = input.graph.borrow_mut();
        let has_state = !setup.stores.is_empty();
        let stores = setup
            .stores
            .iter()
            .map(|store| {
                let due = (store.shape.kind == StoreKind::Timers).then_some(Duration::ZERO);
                graph.add_store(&format!("{name}-{}", store.name), due, store.shape.clone())
            })
            .collect();
        drop(graph);
        let handlers = Arc::new(Mutex::new(vec![handler::<T, E>()]));
        let for_tasks = Arc::clone(&handlers);
        let reach = if has_state { T::horizon().map_or(Reach::Unbounded, Reach::Within) } else { Reach::NONE };
        let first = input.then(Some(name), "transform", stores, move || instance::<T>(&for_tasks)).reaching(reach, None);
        Transformed { first, handlers, declared }
    }

    /// A further input. Its topic must be co-partitioned with the first one's.
    pub fn and<E: HandledBy<T>>(self, input: &Stream<T::Key, E>) -> Transformed<T> {
        let mut handlers = self.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        let port = handlers.len();
        handlers.push(handler::<T, E>());
        drop(handlers);
        self.first.graph.borrow_mut().connect(input.node, input.output, self.first.node, port);
        self
    }

    /// What happens to timers that fail. The timer is gone in any case but the first; what else its handler did is not kept. Default:
    /// [`Policy::Fail`].
    pub fn on_timer_error(self, policy: Policy) -> Self {
        self.first.graph.borrow_mut().timer_policies.insert(self.first.node, policy);
        self
    }

    /// One of its outputs, named by its field: `.output(|t| &t.alerts)`.
    pub fn output<E: 'static>(&self, field: impl FnOnce(&T) -> &Output<E>) -> Stream<T::Key, E> {
        let number = field(&self.declared).number;
        Stream::of(Rc::clone(&self.first.graph), self.first.node, number)
    }
}

fn instance<T: Transform>(handlers: &Mutex<Vec<Handler<T>>>) -> Box<dyn Operator> {
    let (transform, setup) = Setup::<T>::run();
    let handlers = handlers.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Box::new(TransformNode { transform, handlers, timer: setup.timer, key: Vec::new() })
}

impl<T: Transform> std::fmt::Debug for Transformed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transformed").field("type", &std::any::type_name::<PhantomData<T>>()).finish_non_exhaustive()
    }
}
