//! What a network does to a client that has asked and gets no answer: the log port, and the whole application.

mod application;
mod port;
