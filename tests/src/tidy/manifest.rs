//! Reading a Cargo manifest as far as the rules need it: sections and the names in them.

use super::Source;

/// A dependency as a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency<'a> {
    pub(super) name: &'a str,
    pub(super) line: usize,
    /// Whether only tests, examples and benches have it.
    pub(super) dev: bool,
}

/// The package's name.
pub(super) fn package_name(manifest: &Source) -> Option<&str> {
    entries(manifest)
        .find(|(_, section, key, _)| *section == "package" && *key == "name")
        .map(|(_, _, _, value)| value.trim_matches('"'))
}

/// Everything the package depends on.
pub(super) fn dependencies(manifest: &Source) -> Vec<Dependency<'_>> {
    let mut found = Vec::new();
    for (line, section, key, _) in entries(manifest) {
        // `[dependencies]`, `[dev-dependencies]`, `[target.'cfg(unix)'.dependencies]` and `[dependencies.serde]`.
        let Some(start) = section.find("dependencies") else { continue };
        let after = section[start + "dependencies".len()..].trim_start_matches('.');
        let name = if after.is_empty() { key.split('.').next().unwrap_or(key) } else { after };
        let dependency = Dependency { name: name.trim_matches('"'), line, dev: section[..start].ends_with("dev-") };
        if found.last().is_none_or(|last: &Dependency<'_>| last.name != dependency.name) {
            found.push(dependency);
        }
    }
    found
}

/// Whether the manifest has this entry.
pub(super) fn has(manifest: &Source, section: &str, key: &str, value: &str) -> bool {
    entries(manifest).any(|(_, s, k, v)| (s, k, v) == (section, key, value))
}

/// Line, section, key and value of each entry.
fn entries(manifest: &Source) -> impl Iterator<Item = (usize, &str, &str, &str)> {
    let mut section = "";
    manifest.text().lines().enumerate().filter_map(move |(number, line)| {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_matches(['[', ']']);
            return None;
        }
        let (key, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
        Some((number + 1, section, key.trim(), value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_dependencies_in_every_way_of_writing_them() {
        let text = "[package]\nname = \"a\"\n[dependencies]\n# b = \"1\"\nc.workspace = true\nd = { path = \"x\" }\n\
                    [dev-dependencies]\ne = \"1\"\n[target.'cfg(unix)'.dependencies]\nf = \"1\"\n[dependencies.g]\nversion = \"1\"\npath = \"y\"\n";
        let manifest = Source::new("a/Cargo.toml".to_owned(), text.to_owned());
        let found: Vec<_> = dependencies(&manifest).into_iter().map(|d| (d.name, d.line, d.dev)).collect();
        assert_eq!(found, [("c", 5, false), ("d", 6, false), ("e", 8, true), ("f", 10, false), ("g", 12, false)]);
        assert_eq!(package_name(&manifest), Some("a"));
        assert!(has(&manifest, "dependencies", "c.workspace", "true") && !has(&manifest, "lints", "workspace", "true"));
    }
}
