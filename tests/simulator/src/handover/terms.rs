use std::fmt;

use crate::dice::Dice;

/// What a seed decides about its hand-over.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Processes of the second generation.
    pub followers: usize,
    /// Offsets behind the first one at which it asks for the cut.
    pub close: u64,
    /// Whether somebody may give it up.
    pub cancels: bool,
    /// Whether calls of those who attend to the hand-over meet faults.
    pub faults: bool,
}

impl Terms {
    pub fn draw(dice: &mut Dice) -> Terms {
        Terms {
            followers: dice.weighted(&[(2, 1), (4, 2), (2, 3)]),
            close: dice.weighted(&[(2, 0), (2, 4), (4, 5_000)]),
            cancels: dice.percent(25),
            faults: dice.percent(60),
        }
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a hand-over to {} processes, asked for at {} offsets", self.followers, self.close)?;
        let told = [(self.cancels, "may be cancelled"), (self.faults, "faults at the desks")];
        told.iter().filter(|(so, _)| *so).try_for_each(|(_, text)| write!(f, ", {text}"))
    }
}
