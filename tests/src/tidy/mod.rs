//! Rules about the repository itself, checked like any other behaviour: a rule that lives only in prose decays.
//!
//! - [`Tree`]: the files, read once; a test makes one of a few lines of text;
//! - [`Source`]: a file with comments and literals told apart from code, and tests from the rest;
//! - `rules`: one file per rule, each with a test that it can fail.

mod finding;
mod manifest;
mod mask;
mod rules;
mod source;
mod tree;
mod use_paths;
mod words;

pub use finding::Finding;
pub use rules::{Rule, all};
pub use source::Source;
pub use tree::Tree;
