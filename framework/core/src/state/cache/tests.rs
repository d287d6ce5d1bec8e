use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn knows_the_newest_value_or_none(
        writes in prop::collection::vec((0u8..30, prop::option::of(0u8..200), any::<u8>(), any::<bool>()), 0..200),
        limits in prop::collection::vec(prop::sample::select(vec![0, 100, 1000, 5000, 1_000_000]), 1..4),
        is_new in any::<bool>(),
    ) {
        let mut cache = if is_new { Cache::of_empty_store() } else { Cache::default() };
        let mut store = HashMap::<Vec<u8>, Option<Vec<u8>>>::new();
        let every = writes.len().div_ceil(limits.len()).max(1);
        for (step, (key, length, fill, is_read)) in writes.into_iter().enumerate() {
            let limit = limits[step / every];
            cache.set_limit(limit);
            let was_sampling = cache.worth.is_sampling();
            let (key, value) = (vec![key], length.map(|length| vec![fill; usize::from(length)]));
            cache.approach(&key);
            if is_read {
                let known = cache.get(&key).map(|known| known.map(<[u8]>::to_vec));
                let held = store.get(&key).cloned().flatten();
                if let Some(known) = known {
                    prop_assert_eq!(known, held);
                } else {
                    cache.found(&key, held.as_deref());
                }
            } else {
                cache.outdate(&key);
                cache.put(&key, value.as_deref());
                // One that has grown may have to go itself.
                let known = cache.get(&key);
                prop_assert!(known.is_none() || known == Some(value.as_deref()));
                prop_assert!(known.is_some() || limit < 1_000_000 || was_sampling || cache.worth.is_sampling());
                store.insert(key, value);
            }
            let live: Vec<usize> = cache.table.iter().map(|slot| cache.log.size(slot.place)).collect();
            prop_assert_eq!(live.iter().sum::<usize>(), cache.live);
            prop_assert!(cache.live <= cache.log.bytes() && cache.bytes() <= limit);
        }
    }
}

#[test]
fn what_is_too_large_for_it_leaves_the_rest_alone() {
    let mut cache = Cache::of_empty_store();
    cache.set_limit(12 * (OVERHEAD + log::size_of(&[0], Value::Plain(&[]))));
    (0..9).for_each(|number| cache.put(&[number], Some(&[])));
    for key in [8, 9] {
        cache.put(&[key], Some(&[0; 10_000]));
        assert_eq!(cache.get(&[key]), None, "its old value is not what it has");
    }
    assert_eq!((0..8).filter(|number| cache.get(&[*number]).is_some()).count(), 8);
}

#[test]
fn what_was_found_gets_a_place_unless_it_is_written_next() {
    let mut cache = Cache::default();
    cache.set_limit(1000);
    cache.found(&[1], Some(b"a"));
    assert_eq!(cache.get(&[1]), Some(Some(&b"a"[..])));
    assert!(cache.knows(&[1]) && !cache.knows(&[2]));
    cache.found(&[2], None);
    cache.outdate(&[2]);
    assert_eq!(cache.get(&[2]), None);
    cache.found(&[3], None);
    cache.found(&[5], None);
    assert_eq!(cache.get(&[4]), None);
    assert_eq!(cache.get(&[5]), Some(None));
    assert_eq!(cache.get(&[3]), Some(None));
    assert_eq!(cache.get(&[1]), Some(Some(&b"a"[..])));
}

#[test]
fn what_is_used_stays() {
    let mut cache = Cache::default();
    cache.set_limit(20 * (OVERHEAD + log::size_of(&[0], Value::Nothing)));
    for number in 0..200 {
        cache.put(&[number], None);
        if number >= 5 {
            assert_eq!(cache.get(&[5]), Some(None), "after {number}");
        }
    }
    assert_eq!(cache.get(&[6]), None);
}

/// A value that has much in common with others, or one that has not.
fn row(number: u64, is_noise: bool) -> Vec<u8> {
    if is_noise {
        return (1..=8).flat_map(|n| (number * n).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()).collect();
    }
    format!("{{\"account\":\"acc-{number:08}\",\"tier\":\"gold\",\"limit\":{}}}", number % 977).into_bytes()
}

fn key_of(number: u64) -> [u8; 8] {
    (number * 7919 % 1_000_003).to_be_bytes()
}

#[test]
fn where_memory_is_short_values_are_packed_as_long_as_it_helps() {
    const LIMIT: usize = 100_000;
    let mut cache = Cache::default();
    cache.set_limit(LIMIT);
    let plain = LIMIT / (OVERHEAD + log::size_of(&[0; 8], Value::Plain(&row(0, false))));
    let mut is_noise_before = false;
    for (round, is_noise) in [false, true, true, false].into_iter().enumerate() {
        for number in 0..3_000 {
            cache.put(&key_of(number), Some(&row(number, is_noise)));
            cache.get(&key_of(number));
        }
        let known: Vec<u64> = (0..3_000).filter(|number| cache.knows(&key_of(*number))).collect();
        for number in &known {
            assert_eq!(cache.get(&key_of(*number)), Some(Some(&row(*number, is_noise)[..])));
        }
        assert!(cache.bytes() <= LIMIT);
        match is_noise {
            false => assert!(known.len() > plain * 5 / 4, "{round}: {} where {plain} fit plain", known.len()),
            true => assert!(!is_noise_before || cache.packing.bytes() == 0, "{round}: nothing is packed any more"),
        }
        is_noise_before = is_noise;
    }
}
