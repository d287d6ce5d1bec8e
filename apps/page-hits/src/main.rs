//! Counts the hits of each page, and reports pages that were hit a thousand times within an hour.

use headwater::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Visit {
    page: String,
}

fn topology(t: &mut Topology) {
    let visits = t.input::<String, Visit>("visits").out_of_order(minutes(5));
    let by_page = visits.rekey("by-page", |visit| visit.page.clone());
    by_page.count("hits").to("hits");
    by_page
        .window(Tumbling::of(hours(1)).grace(minutes(10)))
        .fold("hourly-hits", |hits: &mut u64, _visit, at| {
            *hits += 1;
            (*hits == 1000).then(|| at.key().clone())
        })
        .to("popular");
}

fn main() -> std::process::ExitCode {
    headwater::main("page-hits", topology)
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater::TestDriver;

    #[test]
    fn hits_are_counted_by_page() {
        let mut driver = TestDriver::new("page-hits", topology);
        driver.send("visits", &"ann".to_string(), &Visit { page: "/start".into() }, Timestamp::from_millis(1000));
        let hits = driver.read::<String, u64>("hits");
        assert_eq!((hits[0].key.as_str(), hits[0].value), ("/start", 1));
    }
}
