/// What was found in the store last. It gets a place in the table only when something else is asked for: who reads a key mostly writes it next, and then
/// it comes into the table with the commit.
#[derive(Debug, Default)]
pub(super) struct Newest {
    key: Vec<u8>,
    value: Vec<u8>,
    /// Whether there is anything, and whether that has a value.
    found: Option<bool>,
    /// Whether it is to get a place.
    is_kept: bool,
}

impl Newest {
    pub(super) fn set(&mut self, key: &[u8], value: Option<&[u8]>, is_kept: bool) {
        self.key.clear();
        self.key.extend_from_slice(key);
        self.value.clear();
        self.value.extend_from_slice(value.unwrap_or_default());
        self.found = Some(value.is_some());
        self.is_kept = is_kept;
    }

    pub(super) fn clear(&mut self) {
        self.found = None;
    }

    pub(super) fn is_set(&self) -> bool {
        self.found.is_some()
    }

    /// Whether it is to get a place when something else is asked for.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Whether it is about `key`.
    pub(super) fn is_of(&self, key: &[u8]) -> bool {
        self.is_set() && self.key == key
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(super) fn value(&self) -> Option<&[u8]> {
        (self.found == Some(true)).then_some(&self.value)
    }
}
