use std::fmt;

use headwater_core::bounded::Finish;

use crate::dice::Dice;

/// What a seed decides about its bounded run.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// What the end of the inputs means.
    pub finish: Finish,
    /// Whether it writes no results and leaves only its state.
    pub silent: bool,
    /// Whether all of the input is read, up to records that carry event time past everything: then a live run must give the same.
    pub parity: bool,
    /// Whether retention may delete what is still to be read.
    pub retention: bool,
    /// Records of the input written in transactions, in percent.
    pub transactional: u64,
    /// Whether a transaction is left open by who wrote the input.
    pub left_open: bool,
    /// Whether inputs are compacted.
    pub compacted: bool,
}

impl Terms {
    pub fn draw(dice: &mut Dice) -> Terms {
        let parity = dice.percent(25);
        Terms {
            finish: if !parity && dice.percent(50) { Finish::CloseWindows } else { Finish::KeepOpen },
            silent: !parity && dice.percent(20),
            parity,
            retention: dice.percent(25),
            transactional: dice.pick(&[0, 30, 90]),
            left_open: dice.percent(20),
            compacted: dice.percent(15),
        }
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a bounded run")?;
        let finish = self.finish == Finish::CloseWindows;
        let told = [
            (finish, "closes windows"),
            (self.silent, "writes nothing"),
            (self.parity, "over everything"),
            (self.retention, "retention"),
            (self.transactional > 0, "input in transactions"),
            (self.left_open, "one left open"),
            (self.compacted, "input compacted"),
        ];
        told.iter().filter(|(so, _)| *so).try_for_each(|(_, text)| write!(f, ", {text}"))
    }
}
