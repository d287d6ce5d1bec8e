//! The rules, one per file.

mod arrows;
mod error_pages;
mod file_length;
mod foreign_names;
mod function_length;
mod ignored_tests;
mod lib_length;
mod lints;
mod markers;
mod printing;
mod pure_core;
mod sleeping;
mod unsafe_code;
mod unwrapping;

use super::{Finding, Tree};

/// One rule of the house.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What it says, in a few words.
    pub name: &'static str,
    /// Why it is there and what to do instead.
    pub reason: &'static str,
    /// Finds what breaks it.
    pub check: fn(&Tree) -> Vec<Finding>,
}

/// All rules.
pub fn all() -> Vec<Rule> {
    vec![
        arrows::RULE,
        foreign_names::RULE,
        pure_core::RULE,
        unsafe_code::RULE,
        file_length::RULE,
        function_length::RULE,
        lib_length::RULE,
        lints::RULE,
        markers::RULE,
        ignored_tests::RULE,
        unwrapping::RULE,
        sleeping::RULE,
        printing::RULE,
        error_pages::RULE,
    ]
}

/// What a rule finds in these files: for the rules' own tests.
#[cfg(test)]
fn check(rule: &Rule, files: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> = (rule.check)(&Tree::of(files)).iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}
