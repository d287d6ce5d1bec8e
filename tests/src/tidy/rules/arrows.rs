use super::Rule;
use crate::tidy::{Finding, Source, Tree, manifest};

pub(super) const RULE: Rule = Rule {
    name: "crates depend on each other in one direction",
    reason: "apps -> headwater -> ops -> runtime -> core, with files, store, kafka and testkit beside the runtime: whoever builds on one part \
             need not know another, and the same engine runs live, in tests and in replays. Move what is needed down, or put a port in core",
    check,
};

/// Who may depend on which of ours. Applications, the tests and the benches are not in it.
const MAY_USE: [(&str, &[&str]); 9] = [
    ("headwater-core", &[]),
    ("headwater-files", &["headwater-core"]),
    ("headwater-store", &["headwater-core"]),
    ("headwater-kafka", &["headwater-core"]),
    ("headwater-runtime", &["headwater-core"]),
    ("headwater-testkit", &["headwater-core", "headwater-files"]),
    // What it needs of the engine is public, and it builds without RocksDB and librdkafka. Of the runtime it steps what has no thread and no clock.
    ("headwater-simulator", &["headwater-core", "headwater-runtime", "headwater-testkit"]),
    ("headwater-ops", &["headwater-core", "headwater-files", "headwater-runtime"]),
    (
        "headwater",
        &[
            "headwater-core",
            "headwater-files",
            "headwater-kafka",
            "headwater-ops",
            "headwater-runtime",
            "headwater-store",
            "headwater-testkit",
        ],
    ),
];
/// They see through everything.
const FREE: [&str; 2] = ["headwater-tests", "headwater-benches"];

fn check(tree: &Tree) -> Vec<Finding> {
    let ours: Vec<&str> = tree.manifests().filter_map(manifest::package_name).collect();
    tree.manifests().flat_map(|file| of_package(file, &ours)).collect()
}

fn of_package(file: &Source, ours: &[&str]) -> Vec<Finding> {
    let Some(package) = manifest::package_name(file) else {
        return vec![Finding::new(file.path(), 1, "a package without a name")];
    };
    if FREE.contains(&package) {
        return Vec::new();
    }
    let Some(allowed) = allowed(package, file) else {
        return vec![Finding::new(file.path(), 1, format!("the table of arrows does not say what {package} may depend on"))];
    };
    // Tests of a crate may use what stands above it.
    let dependencies = manifest::dependencies(file).into_iter().filter(|dependency| !dependency.dev);
    dependencies
        .filter(|dependency| ours.contains(&dependency.name) && !allowed.contains(&dependency.name))
        .map(|dependency| Finding::new(file.path(), dependency.line, format!("{package} depends on {}", dependency.name)))
        .collect()
}

fn allowed(package: &str, file: &Source) -> Option<&'static [&'static str]> {
    if file.is_in(&["apps"]) {
        return Some(&["headwater"]);
    }
    MAY_USE.iter().find(|(name, _)| *name == package).map(|(_, allowed)| *allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    #[test]
    fn finds_an_arrow_against_the_direction() {
        let core = "[package]\nname = \"headwater-core\"\n[dependencies]\nserde = \"1\"\nheadwater-store.workspace = true\n";
        let store = "[package]\nname = \"headwater-store\"\n[dependencies]\nheadwater-core.workspace = true\n";
        let app = "[package]\nname = \"orders\"\n[dependencies]\nheadwater.workspace = true\nheadwater-core.workspace = true\n";
        let files = [("apps/orders/Cargo.toml", app), ("framework/core/Cargo.toml", core), ("framework/store/Cargo.toml", store)];
        check(
            &RULE,
            &files,
            &[
                "apps/orders/Cargo.toml:5: orders depends on headwater-core",
                "framework/core/Cargo.toml:5: headwater-core depends on headwater-store",
            ],
        );
    }

    #[test]
    fn finds_a_crate_that_is_not_in_the_table() {
        let sql = "[package]\nname = \"headwater-sql\"\n";
        let says = "framework/sql/Cargo.toml:1: the table of arrows does not say what headwater-sql may depend on";
        check(&RULE, &[("framework/sql/Cargo.toml", sql)], &[says]);
    }
}
