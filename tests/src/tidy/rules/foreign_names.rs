use super::Rule;
use crate::tidy::{Finding, Source, Tree, manifest};

pub(super) const RULE: Rule = Rule {
    name: "a foreign library is named in one place",
    reason: "what is behind a port can be replaced, tested without it, and upgraded in one place. Use the port, or add to it",
    check,
};

struct Foreign {
    /// The packages, as a manifest names them.
    packages: &'static [&'static str],
    /// Paths in code that name them.
    paths: &'static [&'static str],
    /// The package that may depend on them.
    owner: &'static str,
    /// Where code may name them.
    place: &'static str,
}

const FOREIGN: [Foreign; 4] = [
    Foreign {
        packages: &["rdkafka", "rdkafka-sys"],
        // Not the bare word: it is also a section of the configuration.
        paths: &["rdkafka::", "rdkafka_sys"],
        owner: "headwater-kafka",
        place: "framework/kafka",
    },
    Foreign {
        packages: &["rocksdb", "librocksdb-sys"],
        paths: &["rocksdb::", "librocksdb_sys"],
        owner: "headwater-store",
        place: "framework/store",
    },
    Foreign { packages: &["parquet"], paths: &["parquet::"], owner: "headwater-files", place: "framework/files" },
    Foreign { packages: &["prometheus"], paths: &["prometheus::"], owner: "headwater-ops", place: "framework/ops/src/metrics" },
];

/// The ceiling of the macro bench: what our adapters are compared with must not go through them.
const BARE: (&str, &str) = ("headwater-benches", "benches/ceiling");
const BARE_NAMES: [&str; 4] = ["rdkafka", "rdkafka-sys", "rocksdb", "librocksdb-sys"];

fn check(tree: &Tree) -> Vec<Finding> {
    FOREIGN.iter().flat_map(|foreign| in_manifests(tree, foreign).chain(in_code(tree, foreign))).collect()
}

fn in_manifests<'a>(tree: &'a Tree, foreign: &'a Foreign) -> impl Iterator<Item = Finding> + 'a {
    let others = tree.manifests().filter(|file| manifest::package_name(file) != Some(foreign.owner));
    others.flat_map(|file| {
        let is_bare = manifest::package_name(file) == Some(BARE.0);
        let named = manifest::dependencies(file).into_iter().filter(|dependency| foreign.packages.contains(&dependency.name));
        let named = named.filter(move |dependency| !(is_bare && BARE_NAMES.contains(&dependency.name)));
        named.map(|found| Finding::new(file.path(), found.line, format!("only {} depends on {}", foreign.owner, found.name)))
    })
}

fn in_code<'a>(tree: &'a Tree, foreign: &'a Foreign) -> impl Iterator<Item = Finding> + 'a {
    let is_bare = |file: &Source| file.is_in(&[BARE.1]) && foreign.packages.iter().any(|name| BARE_NAMES.contains(name));
    tree.rust().filter(move |file| !file.is_in(&[foreign.place]) && !is_bare(file)).flat_map(|file| {
        let named = foreign.paths.iter().flat_map(move |path| file.lines_naming(path).into_iter().map(move |line| (path, line)));
        named.map(|(path, line)| Finding::new(file.path(), line, format!("only {} names {path}", foreign.place)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    #[test]
    fn the_ceiling_names_what_it_measures_and_nothing_else() {
        let manifest = "[package]\nname = \"headwater-benches\"\n[dependencies]\nrdkafka = \"1\"\nprometheus = \"1\"\n";
        let files = [
            ("benches/Cargo.toml", manifest),
            ("benches/ceiling/main.rs", "use rdkafka::Message;\nuse rocksdb::DB;\nuse parquet::Row;"),
            ("benches/macro/main.rs", "use rocksdb::DB;"),
        ];
        check(
            &RULE,
            &files,
            &[
                "benches/macro/main.rs:1: only framework/store names rocksdb::",
                "benches/ceiling/main.rs:3: only framework/files names parquet::",
                "benches/Cargo.toml:5: only headwater-ops depends on prometheus",
            ],
        );
    }

    #[test]
    fn finds_a_library_outside_its_place() {
        let ops =
            "[package]\nname = \"headwater-ops\"\n[dependencies]\nprometheus = \"1\"\n[dev-dependencies]\nrocksdb = \"1\"\n";
        let files = [
            ("framework/ops/Cargo.toml", ops),
            ("framework/ops/src/metrics/mod.rs", "use prometheus::Registry;"),
            ("framework/ops/src/admin/mod.rs", "// prometheus::Registry\nfn f(r: &prometheus::Registry) {}"),
            ("framework/runtime/src/lib.rs", "use {\n    rdkafka::Message,\n};\nfn f() { settings.rdkafka; }"),
        ];
        check(
            &RULE,
            &files,
            &[
                "framework/runtime/src/lib.rs:2: only framework/kafka names rdkafka::",
                "framework/ops/Cargo.toml:6: only headwater-store depends on rocksdb",
                "framework/ops/src/admin/mod.rs:2: only framework/ops/src/metrics names prometheus::",
            ],
        );
    }
}
