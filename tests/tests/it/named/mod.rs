//! What can go wrong between processes of one application has a name, and never a wrong result: each of these on a real broker.

mod directory;
mod offsets;
mod paused;
mod slot;
