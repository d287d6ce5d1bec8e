//! A type's name as its identity in the manifest.

/// Crates whose modules are nobody's business: their types are public under shorter paths and may move inside.
const FOREIGN: [&str; 5] = ["std", "core", "alloc", "bytes", "headwater_core"];

/// The type's path: that of the application's own types whole, because `v1::Total` and `v2::Total` are two types; of the standard
/// library's and the framework's only the last part.
pub(crate) fn type_name<T: ?Sized>() -> String {
    shorten(std::any::type_name::<T>())
}

fn shorten(full: &str) -> String {
    let mut short = String::with_capacity(full.len());
    let mut path = String::new();
    for c in full.chars() {
        if c.is_alphanumeric() || c == '_' || c == ':' {
            path.push(c);
        } else {
            short.push_str(of_path(&path));
            path.clear();
            short.push(c);
        }
    }
    short.push_str(of_path(&path));
    short
}

fn of_path(path: &str) -> &str {
    match path.split_once("::") {
        Some((first, _)) if FOREIGN.contains(&first) => path.rsplit("::").next().unwrap_or(path),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_path_of_the_applications_types_only() {
        let check = |full: &str, short: &str| assert_eq!(shorten(full), short);
        check("alloc::string::String", "String");
        check("(i64, flights::hourly::Hourly)", "(i64, flights::hourly::Hourly)");
        check("core::option::Option<alloc::vec::Vec<app::v1::Total>>", "Option<Vec<app::v1::Total>>");
        check("headwater_core::window::Windowed<alloc::string::String>", "Windowed<String>");
        check("u64", "u64");
        assert_eq!(type_name::<std::collections::BTreeMap<String, [u8; 4]>>(), "BTreeMap<String, [u8; 4]>");
    }
}
