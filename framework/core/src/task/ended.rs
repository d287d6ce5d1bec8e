//! Which upstream tasks of a bounded run have said that nothing more comes.

/// One flag per lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended(Vec<bool>);

impl Ended {
    pub(crate) fn none(lanes: usize) -> Ended {
        Ended(vec![false; lanes])
    }

    pub(crate) fn set(&mut self, lane: usize) {
        if let Some(ended) = self.0.get_mut(lane) {
            *ended = true;
        }
    }

    pub(crate) fn all(&self) -> bool {
        self.0.iter().all(|ended| *ended)
    }

    /// `$` and a hexadecimal digit for four lanes; nothing while none has ended, so in every live run.
    pub(crate) fn encode(&self) -> String {
        if !self.0.contains(&true) {
            return String::new();
        }
        let digit = |lanes: &[bool]| {
            let bits = lanes.iter().rev().fold(0, |bits, ended| bits << 1 | u32::from(*ended));
            char::from_digit(bits, 16).unwrap_or('0')
        };
        std::iter::once('$').chain(self.0.chunks(4).map(digit)).collect()
    }

    /// From the digits; what is missing has not ended.
    pub(crate) fn decode(digits: &str, lanes: usize) -> Ended {
        let digits: Vec<u32> = digits.chars().map(|digit| digit.to_digit(16).unwrap_or(0)).collect();
        let has_ended = |lane: usize| digits.get(lane / 4).is_some_and(|digit| digit >> (lane % 4) & 1 == 1);
        Ended((0..lanes).map(has_ended).collect())
    }
}

/// Whether a committed position's metadata says so of all `lanes` of its repartition topic.
pub(crate) fn lanes_ended(metadata: &str, lanes: usize) -> bool {
    let digits = metadata.split_once('$').map_or("", |(_, digits)| digits);
    Ended::decode(digits, lanes).all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_the_metadata() {
        let mut ended = Ended::none(6);
        assert_eq!(ended.encode(), "");
        ended.set(0);
        ended.set(5);
        ended.set(6);
        assert_eq!(ended.encode(), "$12");
        assert_eq!(Ended::decode("12", 6), ended);
        assert!(!lanes_ended("1r:-,-@-$12", 6) && !lanes_ended("1r:-@-", 1) && !lanes_ended("", 1));
        assert!(lanes_ended("1r:-@-$1", 1) && lanes_ended("", 0));
    }
}
