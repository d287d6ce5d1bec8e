use super::log::Place;

/// The place of an entry. With so much of its hash, the table can grow without a look at the entries.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) hash: u32,
    pub(super) place: Place,
}

impl Slot {
    pub(super) fn spread(&self) -> u64 {
        spread(self.hash)
    }
}

/// The table goes by bits at both ends.
pub(super) fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
