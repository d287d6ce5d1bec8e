//! Bounded reads on a real broker: whatever the end of a log looks like, a restore ends, with exactly the committed records before the end
//! that the log had when it began. "Read until the last record" hangs on half of these, "read until the last stable offset" misses
//! records on one.

pub mod cell;
pub mod shapes;

use cell::{Kind, check};
use shapes::Shape;

#[test]
fn every_restore_ends_with_exactly_the_right_records() {
    for shape in Shape::ALL {
        check(shape, Kind::Changelog);
        check(shape, Kind::Table);
    }
}
