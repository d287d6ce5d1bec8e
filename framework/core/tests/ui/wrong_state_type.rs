//! Text is put where the state was declared to be a number.

use headwater_core::{Cx, Failure, On, Setup, Transform, Value};

struct CreditWatch {
    owed: Value<i64>,
}

impl Transform for CreditWatch {
    type Key = u64;
    fn setup(s: &mut Setup<Self>) -> Self {
        CreditWatch { owed: s.value("owed") }
    }
}

impl On<i64> for CreditWatch {
    fn on(&mut self, cents: &i64, cx: &mut Cx<'_, u64>) -> Result<(), Failure> {
        self.owed.put(cx, &format!("{cents} cents"))
    }
}

fn main() {}
