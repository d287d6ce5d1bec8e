//! The world whose turn it is on this thread. A port call can let others act before it returns, though it is made from deep within one
//! process's turn: that is how replies are delayed without threads.

use std::cell::RefCell;
use std::rc::Rc;

use crate::world::World;

thread_local! {
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// Runs `play` with this world on stage.
pub fn enter<R>(world: &Rc<World>, play: impl FnOnce() -> R) -> R {
    /// Leaves also when the play panics.
    struct Curtain;
    impl Drop for Curtain {
        fn drop(&mut self) {
            WORLD.with(|stage| stage.borrow_mut().take());
        }
    }
    WORLD.with(|stage| *stage.borrow_mut() = Some(Rc::clone(world)));
    let _curtain = Curtain;
    play()
}

/// Others act; processes in the middle of a call cannot, they wait for it. With `put_out` for as long as it takes the group to put that one out.
pub fn interlude(put_out: Option<usize>) {
    let world = WORLD.with(|stage| stage.borrow().clone());
    if let Some(world) = world {
        world.interlude(put_out);
    }
}
