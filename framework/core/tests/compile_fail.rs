//! What the compiler says to somebody who makes a classic mistake. The messages are part of the API: each `ui/*.rs` is one mistake, the
//! `.stderr` beside it the whole answer.
//!
//! The wording is rustc's as much as ours, so a new compiler may change it. Look at what changed, then accept it with
//! `TRYBUILD=overwrite cargo test --release -p headwater-core --test compile_fail`.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
