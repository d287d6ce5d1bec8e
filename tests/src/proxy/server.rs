use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::rules::Rules;
use super::wire::Wire;
use super::{Api, Rule};

/// The proxy. Everything ends when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What all connections see.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) rules: Rules,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Where to forward to; connections are refused until it is known.
    upstream: Option<String>,
    refuses: bool,
    has_ended: bool,
    wires: Vec<Weak<Wire>>,
}

impl FaultProxy {
    /// A proxy on a free port. `seed` decides which of [`Rule::one_in`] many.
    pub fn start(seed: u64) -> FaultProxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        let shared = Arc::new(Shared { rules: Rules::new(seed), state: Mutex::default(), ended: Condvar::new() });
        let accepting = Arc::clone(&shared);
        let acceptor = thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.state().has_ended {
                    return;
                }
                accepting.accept(client);
            }
        });
        FaultProxy { port, shared, acceptor: Some(acceptor) }
    }

    /// Where clients reach it, `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where it forwards to, `host:port`.
    pub fn forward_to(&self, broker: &str) {
        self.shared.state().upstream = Some(broker.to_owned());
    }

    /// One more rule.
    pub fn add(&self, rule: Rule) {
        self.shared.rules.add(rule);
    }

    /// No more rules.
    pub fn clear(&self) {
        self.shared.rules.clear();
    }

    /// Whether new connections are closed at once. Beginning so ends those there are: as if the broker were away.
    pub fn refuse(&self, refuses: bool) {
        let mut state = self.shared.state();
        state.refuses = refuses;
        if refuses {
            state.cut_all();
        }
    }

    /// How many faults have happened to requests of this kind.
    pub fn count(&self, api: Api) -> u64 {
        self.counts().iter().filter(|((of, _), _)| *of == api).map(|(_, count)| count).sum()
    }

    /// The same for every kind; of `EndTxn` also whether it commits.
    pub fn counts(&self) -> BTreeMap<(Api, Option<bool>), u64> {
        self.shared.rules.counts()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.has_ended = true;
        state.cut_all();
        drop(state);
        self.shared.ended.notify_all();
        // Wakes the acceptor, which looks at the flag above.
        if TcpStream::connect(("127.0.0.1", self.port)).is_ok()
            && let Some(acceptor) = self.acceptor.take()
        {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    /// Waits, but not beyond the proxy's end.
    pub(super) fn wait(&self, time: Duration) {
        let waited = self.ended.wait_timeout_while(self.state(), time, |state| !state.has_ended);
        drop(waited);
    }

    fn accept(self: &Arc<Shared>, client: TcpStream) {
        let state = self.state();
        let upstream = state.upstream.clone().filter(|_| !state.refuses);
        drop(state);
        // A client that nobody serves sees its connection closed.
        let Some(broker) = upstream.and_then(|address| TcpStream::connect(address).ok()) else { return };
        let wire = Arc::new(Wire::new(client, broker));
        let mut state = self.state();
        if state.refuses || state.has_ended {
            return wire.cut();
        }
        state.wires.retain(|wire| wire.strong_count() > 0);
        state.wires.push(Arc::downgrade(&wire));
        drop(state);
        wire.serve(self);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can leave it half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn cut_all(&mut self) {
        self.wires.drain(..).filter_map(|wire| wire.upgrade()).for_each(|wire| wire.cut());
    }
}
