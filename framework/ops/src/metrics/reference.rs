use std::fmt::Write as _;

use super::definition::Definition;
use super::definitions::ALL;

const HEAD: &str = "# Metrics

Served at `/metrics` in Prometheus' text format. Every metric whose name begins with `headwater_` has the label `app`, the
application's name, besides those listed.

| Metric | Kind | Labels | Meaning |
|---|---|---|---|
";

/// The reference page in Markdown.
pub fn reference() -> String {
    let mut page = String::from(HEAD);
    for definition in ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            definition.name,
            definition.kind.name(),
            labels(definition),
            definition.help
        );
    }
    page
}

fn labels(definition: &Definition) -> String {
    let labels = definition.labels.iter().map(|label| format!("`{}`: {}", label.name, label.meaning));
    labels.collect::<Vec<_>>().join("<br>")
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;

    #[test]
    fn the_page_is_the_definitions() {
        expect_file!["../../METRICS.md"].assert_eq(&reference());
    }
}
