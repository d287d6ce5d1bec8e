//! What a state directory promises, one file per promise. Children are this same binary, started again.

mod apply;
mod children;
mod crash;
mod directory;
mod model;
mod reopen;
mod support;
