use std::fs;
use std::path::Path;

use super::Source;

/// What is read: code, scripts, configuration and prose. Data and lock files are nobody's handwriting.
const EXTENSIONS: [&str; 7] = ["md", "rs", "sh", "toml", "tpl", "yaml", "yml"];

/// The repository's files, by path.
#[derive(Debug, Clone)]
pub struct Tree {
    files: Vec<Source>,
}

impl Tree {
    /// Reads everything below `root`, except what is hidden or built.
    ///
    /// # Panics
    /// If something there cannot be read.
    pub fn read(root: &Path) -> Tree {
        let mut files = Vec::new();
        walk(root, "", &mut files);
        files.sort_unstable_by(|a, b| a.path().cmp(b.path()));
        Tree { files }
    }

    /// A tree of these files: path and text.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Tree {
        Tree { files: files.iter().map(|(path, text)| Source::new((*path).to_owned(), (*text).to_owned())).collect() }
    }

    /// All files.
    pub fn files(&self) -> impl Iterator<Item = &Source> {
        self.files.iter()
    }

    /// The Rust sources.
    pub fn rust(&self) -> impl Iterator<Item = &Source> {
        self.files().filter(|file| file.is_rust())
    }

    /// The manifests of the packages; the root has none of its own.
    pub fn manifests(&self) -> impl Iterator<Item = &Source> {
        self.files().filter(|file| file.path().ends_with("/Cargo.toml"))
    }
}

fn walk(directory: &Path, prefix: &str, files: &mut Vec<Source>) {
    for entry in fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        let entry = entry.unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{path}/"), files);
        } else if EXTENSIONS.iter().any(|extension| name.ends_with(&format!(".{extension}"))) {
            let text = fs::read_to_string(entry.path()).unwrap_or_else(|error| panic!("{path}: {error}"));
            files.push(Source::new(path, text));
        }
    }
}
