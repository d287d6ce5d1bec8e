use super::Rule;
use crate::tidy::{Finding, Source, Tree};

pub(super) const RULE: Rule = Rule {
    name: "an error page says what happened and what to do",
    reason: "`explain` prints these pages to whoever is called at night: `# HW0001: the problem`, `## What happened`, `## What to do`",
    check,
};

const SECTIONS: [&str; 2] = ["## What happened", "## What to do"];

fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().filter(|file| file.is_in(&["docs/errors"])).flat_map(of_page).collect()
}

fn of_page(page: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    let code = page.path().rsplit('/').next().and_then(|name| name.strip_suffix(".md")).unwrap_or_default();
    let heading = page.text().lines().next().unwrap_or_default();
    if heading.strip_prefix(&format!("# {code}: ")).is_none_or(|title| title.trim().is_empty()) {
        found.push(Finding::new(page.path(), 1, format!("its heading is not `# {code}: ` and a title")));
    }
    let missing = SECTIONS.iter().filter(|section| !page.text().lines().any(|line| line == **section));
    found.extend(missing.map(|section| Finding::new(page.path(), 1, format!("no section `{section}`"))));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    #[test]
    fn finds_a_page_without_heading_or_section() {
        let files = [
            ("docs/errors/HW0001.md", "# HW0001: It broke\n\n## What happened\n\n## What to do\n"),
            ("docs/errors/HW0002.md", "# HW0001: It broke\n\n## What happened\n"),
        ];
        check(
            &RULE,
            &files,
            &[
                "docs/errors/HW0002.md:1: its heading is not `# HW0002: ` and a title",
                "docs/errors/HW0002.md:1: no section `## What to do`",
            ],
        );
    }
}
