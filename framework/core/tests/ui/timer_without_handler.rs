//! A timer is declared, but nothing says what happens when it fires.

use headwater_core::{Cx, Failure, On, Setup, Timer, Transform, hours};

struct Reminder {
    due: Timer,
}

impl Transform for Reminder {
    type Key = u64;
    fn setup(s: &mut Setup<Self>) -> Self {
        Reminder { due: s.timer("due") }
    }
}

impl On<i64> for Reminder {
    fn on(&mut self, _cents: &i64, cx: &mut Cx<'_, u64>) -> Result<(), Failure> {
        let time = cx.timestamp() + hours(1);
        self.due.at(cx, time)
    }
}

fn main() {}
