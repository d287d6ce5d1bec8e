use super::Blueprint;
use crate::codec::CodecError;
use crate::partition::partition_for;
use crate::topology::{Make, SourceRole, SourceSpec};

/// A stream or table as the topology declares it: what there is to know for whoever writes records of it without its types.
#[derive(Clone, Debug)]
pub struct DeclaredInput {
    /// Its topic.
    pub topic: String,
    /// The type of its keys, by name.
    pub key: String,
    /// Whether it is read as a table.
    pub is_table: bool,
    /// Whether its event time is the records' own timestamp, not something in the value.
    pub is_record_time: bool,
    read_key: fn(&str) -> Result<Vec<u8>, CodecError>,
    partitioned_by: fn(&[u8]) -> &[u8],
}

impl DeclaredInput {
    /// The encoded key that a person means by this text, as [`Key::read`](crate::Key::read) has it.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn read_key(&self, text: &str) -> Result<Vec<u8>, CodecError> {
        (self.read_key)(text)
    }

    /// The partition of an encoded key, where live producers write it; one without key goes to `fallback`, whatever its size.
    ///
    /// # Panics
    /// When `partitions` is not positive.
    pub fn partition_for(&self, key: Option<&[u8]>, partitions: i32, fallback: i64) -> i32 {
        let fallback = i32::try_from(fallback.rem_euclid(i64::from(partitions))).unwrap_or(0);
        partition_for(key.map(self.partitioned_by), partitions, fallback)
    }
}

impl Blueprint {
    /// An input by its topic; none if the topology has no such stream or table.
    pub fn declared_input(&self, topic: &str) -> Option<DeclaredInput> {
        let declared = |source: &SourceSpec| DeclaredInput {
            topic: source.topic.to_string(),
            key: source.types.key.clone(),
            is_table: source.role == SourceRole::Table,
            is_record_time: source.is_record_time,
            read_key: source.types.read_key,
            partitioned_by: source.types.partitioned_by,
        };
        self.graph.nodes.iter().find_map(|node| match &node.make {
            Make::Source(source) if *source.topic == *topic && source.role != SourceRole::Repartition => Some(declared(source)),
            _ => None,
        })
    }

    /// The inputs that are read by the same tasks as this one, itself among them: their partition counts must be equal.
    pub fn read_with(&self, topic: &str) -> Vec<String> {
        let inputs = |part| self.sources_of(part).filter(|source| source.role != SourceRole::Repartition);
        let part = self.subtopologies.iter().find(|part| inputs(part).any(|source| *source.topic == *topic));
        part.map(|part| inputs(part).map(|source| source.topic.to_string()).collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Topology;

    #[test]
    fn an_input_tells_how_its_keys_are_written() {
        let blueprint = Blueprint::of("app", |t: &mut Topology| {
            let numbers = t.input::<i64, u64>("numbers").timestamp(|value, _| crate::Timestamp::from_millis(*value as i64));
            let names = t.table::<i64, String>("names");
            numbers.join("named", &names, |_, name| name.clone()).to("named");
            t.input::<String, u64>("texts").rekey("by", |value| *value).count("counts").to("counts");
        });
        let blueprint = blueprint.unwrap();
        let numbers = blueprint.declared_input("numbers").unwrap();
        assert_eq!((numbers.key.as_str(), numbers.is_table, numbers.is_record_time), ("i64", false, false));
        assert_eq!(numbers.read_key("258").unwrap(), [0, 0, 0, 0, 0, 0, 1, 2]);
        assert!(numbers.read_key("many").is_err());
        assert!(blueprint.declared_input("names").unwrap().is_table);
        assert!(blueprint.declared_input("app-by-repartition").is_none());
        let texts = blueprint.declared_input("texts").unwrap();
        assert_eq!(texts.partition_for(Some(b"TT0124"), 15, 0), 10);
        assert_eq!(texts.partition_for(None, 4, 4_294_967_298), 2);
        assert_eq!(blueprint.read_with("names"), ["numbers", "names"]);
        assert_eq!(blueprint.read_with("texts"), ["texts"]);
    }
}
