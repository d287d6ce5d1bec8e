use crate::config::nearest;
use crate::error::CliError;

/// What the pages write for the application's name.
const APP: &str = "<app>";

/// The page of one code.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The code, `HW` and four digits.
    pub code: &'static str,
    text: &'static str,
}

macro_rules! pages {
    ($($code:literal),+ $(,)?) => {
        [$(Page { code: $code, text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors/", $code, ".md")) }),+]
    };
}

const PAGES: [Page; 27] = pages![
    "HW0001", "HW0002", "HW0003", "HW0004", "HW0005", "HW0006", "HW0007", "HW0008", "HW0009", "HW0010", "HW0011", "HW0012",
    "HW0013", "HW0014", "HW0020", "HW0021", "HW0022", "HW0023", "HW0024", "HW0030", "HW0031", "HW0041", "HW0042", "HW0043",
    "HW0050", "HW0051", "HW0052",
];

impl Page {
    /// The page in Markdown, with the application's name in its commands.
    pub fn text(&self, app: &str) -> String {
        self.text.replace(APP, app)
    }

    /// The title without the code.
    pub fn title(&self) -> &'static str {
        let heading = self.text.lines().next().unwrap_or_default();
        heading.split_once(": ").map_or(heading, |(_, title)| title)
    }
}

/// All pages, by code.
pub fn all() -> &'static [Page] {
    &PAGES
}

/// The page of `code`, in upper or lower case.
pub fn find(code: &str) -> Result<&'static Page, CliError> {
    let wanted = code.to_ascii_uppercase();
    let nearest = || nearest(&wanted, PAGES.iter().map(|page| page.code)).unwrap_or_default();
    let found = PAGES.iter().find(|page| page.code == wanted);
    found.ok_or_else(|| CliError::usage(format!("there is no error code {code}; did you mean {}?", nearest())))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    const CRATE: &str = env!("CARGO_MANIFEST_DIR");

    fn registered() -> BTreeSet<String> {
        PAGES.iter().map(|page| page.code.to_owned()).collect()
    }

    #[test]
    fn every_page_is_registered_and_none_is_missing() {
        let files = fs::read_dir(Path::new(CRATE).join("../../docs/errors")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let pages: BTreeSet<String> = names.filter_map(|name| name.strip_suffix(".md").map(str::to_owned)).collect();
        assert_eq!(pages, registered());
    }

    #[test]
    fn every_code_in_this_crate_has_a_page() {
        let mut used = BTreeSet::new();
        collect(&Path::new(CRATE).join("src"), &mut used);
        assert!(used.is_subset(&registered()), "{used:?}");
        assert!(used.len() == PAGES.len(), "{used:?}");
    }

    fn collect(directory: &Path, used: &mut BTreeSet<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, used);
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let codes = source.match_indices("HW").filter_map(|(at, _)| source.get(at..at + 6));
            used.extend(codes.filter(|code| code[2..].bytes().all(|b| b.is_ascii_digit())).map(str::to_owned));
        }
    }

    #[test]
    fn every_page_says_what_why_and_what_to_do() {
        for page in all() {
            assert!(page.text.starts_with(&format!("# {}: ", page.code)), "{}", page.code);
            for part in ["## What happened", "## Why", "## What to do"] {
                assert!(page.text.contains(&format!("\n{part}\n\n")), "{} lacks {part}", page.code);
            }
            assert!(!page.text("flights").contains(APP));
        }
    }

    #[test]
    fn finds_a_page_in_any_case_and_offers_the_nearest() {
        assert_eq!(find("hw0003").unwrap().code, "HW0003");
        assert_eq!(find("HW003").unwrap_err().message, "there is no error code HW003; did you mean HW0003?");
    }
}
