//! State by a codec of the application's own.

use headwater_core::{At, Codec, CodecError, Reduce, Timestamp, Topology, Tumbling, Windowed, seconds};
use headwater_testkit::TestDriver;

/// Eight bytes, big-endian.
struct Binary;

impl Codec<u64> for Binary {
    fn encode(value: &u64, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        buffer.extend_from_slice(&value.to_be_bytes());
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<u64, CodecError> {
        bytes.try_into().map(u64::from_be_bytes).map_err(|_| CodecError(format!("{} bytes in place of 8", bytes.len())))
    }
}

struct Spent;

impl Reduce for Spent {
    type Key = String;
    type Event = u64;
    type State = u64;
    type Out = u64;

    fn reduce(total: &mut u64, cents: &u64, _at: &At<'_, String>) -> Option<u64> {
        *total += cents;
        Some(*total)
    }
}

/// Two orders of Ann's, in one window; then the disk is lost. Totals before and after, and the newest state as it is in the changelog.
fn check<K: headwater_core::Key>(topology: impl Fn(&mut Topology)) {
    let mut driver = TestDriver::new("codecs", topology);
    let at = Timestamp::from_millis(1000);
    let mut totals = |cents: u64| {
        driver.send("orders", &"ann".to_owned(), &cents, at);
        let totals: Vec<u64> = driver.read::<K, u64>("totals").into_iter().map(|out| out.value).collect();
        let newest = driver.log().read_all("codecs-spent-changelog", 0, true).pop().and_then(|record| record.value);
        driver.restart_without_disk();
        (totals, newest.map(|cell| cell[cell.len() - 8..].to_vec()))
    };
    assert_eq!(totals(5), (vec![5], Some(5_u64.to_be_bytes().to_vec())));
    assert_eq!(totals(700), (vec![705], Some(705_u64.to_be_bytes().to_vec())));
}

#[test]
fn a_reducers_state_goes_by_its_codec() {
    check::<String>(|t| t.input::<String, u64>("orders").reduce_as::<Spent, Binary>("spent").to("totals"));
    check::<Windowed<String>>(|t| {
        let windows = t.input::<String, u64>("orders").window(Tumbling::of(seconds(10)));
        windows.reduce_as::<Spent, Binary>("spent").to("totals");
    });
}

#[test]
fn a_fold_goes_by_the_same() {
    check::<String>(|t| t.input::<String, u64>("orders").fold_as::<Binary, _, _>("spent", Spent::reduce).to("totals"));
    check::<Windowed<String>>(|t| {
        let windows = t.input::<String, u64>("orders").window(Tumbling::of(seconds(10)));
        windows.fold_as::<Binary, _, _>("spent", Spent::reduce).to("totals");
    });
}
