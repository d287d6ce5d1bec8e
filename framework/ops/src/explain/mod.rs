//! Error codes and their pages. A code is for ever: pages are added and rewritten, numbers are not reused.

pub mod codes;
mod pages;

pub use pages::{Page, all, find};
