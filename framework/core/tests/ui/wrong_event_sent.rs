//! An output declared for one type is sent another.

use headwater_core::{Cx, Failure, On, Output, Setup, Transform};

struct Alert {
    cents: i64,
}

struct CreditWatch {
    alerts: Output<Alert>,
}

impl Transform for CreditWatch {
    type Key = u64;
    fn setup(s: &mut Setup<Self>) -> Self {
        CreditWatch { alerts: s.output("alerts") }
    }
}

impl On<i64> for CreditWatch {
    fn on(&mut self, cents: &i64, cx: &mut Cx<'_, u64>) -> Result<(), Failure> {
        self.alerts.send(cx, cents)
    }
}

fn main() {}
