//! What the README shows is what is there.

const README: &str = include_str!("../../../README.md");
const PAGE_HITS: &str = include_str!("../../../apps/page-hits/src/main.rs");

#[test]
fn the_readme_shows_the_page_hits_application_as_it_is() {
    assert!(
        README.contains(&format!("```rust,no_run\n{PAGE_HITS}```\n")),
        "copy apps/page-hits/src/main.rs into the README's first listing"
    );
}
