use std::collections::HashMap;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::Fault;
use super::frame::{self, Request};
use super::rules::Verdict;
use super::server::Shared;

/// A client's connection and the one to the broker that belongs to it.
pub(super) struct Wire {
    client: TcpStream,
    broker: TcpStream,
    /// Requests on their way to which something will happen, by correlation id.
    pending: Mutex<HashMap<i32, Verdict>>,
}

impl Wire {
    pub(super) fn new(client: TcpStream, broker: TcpStream) -> Wire {
        // Small messages wait for nothing; where it cannot be had the proxy is only slower.
        let _ = client.set_nodelay(true).and_then(|()| broker.set_nodelay(true));
        Wire { client, broker, pending: Mutex::default() }
    }

    /// Ends both connections.
    pub(super) fn cut(&self) {
        // One that is ended already is as good.
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.broker.shutdown(Shutdown::Both);
    }

    /// Forwards in both directions, on two threads, until either side closes.
    pub(super) fn serve(self: Arc<Wire>, shared: &Arc<Shared>) {
        for direction in [Wire::requests, Wire::replies] {
            let (wire, shared) = (Arc::clone(&self), Arc::clone(shared));
            thread::spawn(move || {
                // How a connection broke is nobody's business: both ends see that it did.
                let _ = direction(&wire, &shared);
                wire.cut();
            });
        }
    }

    fn requests(&self, shared: &Shared) -> std::io::Result<()> {
        let (mut from, mut to) = (&self.client, &self.broker);
        while let Some(message) = frame::read(&mut from)? {
            let request = Request::parse(&message);
            let verdict = request.and_then(|request| Some((request.correlation, shared.rules.judge(&request)?)));
            if let Some((correlation, verdict)) = verdict {
                if verdict.fault == Fault::LoseRequest {
                    shared.rules.done(&verdict);
                    return Ok(());
                }
                self.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(correlation, verdict);
            }
            to.write_all(&message)?;
        }
        Ok(())
    }

    fn replies(&self, shared: &Shared) -> std::io::Result<()> {
        let (mut from, mut to) = (&self.broker, &self.client);
        while let Some(message) = frame::read(&mut from)? {
            let correlation = frame::correlation_of_reply(&message);
            let verdict = correlation.and_then(|id| self.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&id));
            if let Some(verdict) = verdict {
                shared.rules.done(&verdict);
                match verdict.fault {
                    Fault::LoseReply | Fault::LoseRequest => return Ok(()),
                    Fault::DelayReply(time) => shared.wait(time),
                }
            }
            to.write_all(&message)?;
        }
        Ok(())
    }
}
