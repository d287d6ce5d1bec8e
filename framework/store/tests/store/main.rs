//! What a state directory promises, one file per promise. Children are this same binary, started again.

mod apply;
mod children;
mod crash;
mod damage;
mod directory;
mod format;
mod lend;
mod load;
mod model;
mod pool;
mod reopen;
mod support;
