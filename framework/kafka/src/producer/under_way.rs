use std::sync::atomic::{AtomicU64, Ordering};

/// Records that were handed over and not reported on yet, on two sides of a mark. Counts alone would not tell that those before the mark have
/// arrived: partitions answer in any order.
#[derive(Default)]
pub(crate) struct UnderWay {
    sides: [AtomicU64; 2],
}

impl UnderWay {
    fn of(&self, side: bool) -> &AtomicU64 {
        &self.sides[usize::from(side)]
    }

    /// A record is handed over.
    pub(crate) fn left(&self, side: bool) {
        self.of(side).fetch_add(1, Ordering::Relaxed);
    }

    /// It was reported on, or not taken after all.
    pub(crate) fn arrived(&self, side: bool) {
        self.of(side).fetch_sub(1, Ordering::Relaxed);
    }

    fn is_empty(&self, side: bool) -> bool {
        self.of(side).load(Ordering::Relaxed) == 0
    }
}

/// Where the newest mark is.
#[derive(Default)]
pub(super) struct Marked {
    /// On which side of it records are sent now.
    pub(super) side: bool,
    /// The other side was not empty when it was set: so what it covers is known to have arrived only once both are.
    covers_both: bool,
}

impl Marked {
    pub(super) fn set(&mut self, under_way: &UnderWay) {
        self.covers_both = !under_way.is_empty(!self.side);
        if !self.covers_both {
            self.side = !self.side;
        }
    }

    /// Whether everything before the mark has been reported on.
    pub(super) fn is_passed(&self, under_way: &UnderWay) -> bool {
        under_way.is_empty(!self.side) && (!self.covers_both || under_way.is_empty(self.side))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `steps`: `s` sends, `m` marks, `1` and `0` report one record of the first or second side.
    fn check(steps: &str, is_passed: bool) {
        let (under_way, mut marked) = (UnderWay::default(), Marked::default());
        for step in steps.chars() {
            match step {
                's' => under_way.left(marked.side),
                'm' => marked.set(&under_way),
                side => under_way.arrived(side == '1'),
            }
        }
        assert_eq!(marked.is_passed(&under_way), is_passed, "{steps}");
    }

    #[test]
    fn what_is_sent_after_the_mark_is_not_waited_for() {
        check("m", true);
        check("sm", false);
        check("sms", false);
        check("sms1", false);
        check("sms0", true);
        check("ssm0", false);
        check("sms0ms", false);
        check("sms0ms1", true);
    }

    #[test]
    fn a_mark_behind_one_that_is_not_passed_covers_both() {
        check("smsm0", false);
        check("smsm1", false);
        check("smsm01", true);
        check("smsm0ms", false);
        check("smsm01ms", true);
    }
}
