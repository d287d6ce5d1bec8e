//! The topology takes an output that the transform never declared.

use headwater_core::{Cx, Failure, On, Output, Setup, Topology, Transform};

struct CreditWatch {
    alerts: Output<String>,
}

impl Transform for CreditWatch {
    type Key = u64;
    fn setup(s: &mut Setup<Self>) -> Self {
        CreditWatch { alerts: s.output("alerts") }
    }
}

impl On<i64> for CreditWatch {
    fn on(&mut self, cents: &i64, cx: &mut Cx<'_, u64>) -> Result<(), Failure> {
        self.alerts.send(cx, &format!("{cents} cents"))
    }
}

fn topology(t: &mut Topology) {
    t.input::<u64, i64>("orders").transform::<CreditWatch>("credit-watch").output(|watch| &watch.warnings).to("credit-alerts");
}

fn main() {}
