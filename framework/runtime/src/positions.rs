use headwater_core::TopicPartition;
use headwater_core::port::{LogError, Reader};

/// Where a group stands in a partition.
pub(crate) struct Standing {
    /// What it has committed; the log's first offset if it has not begun.
    pub(crate) position: i64,
    /// Where the log ends.
    pub(crate) end: i64,
}

/// Where the group of `reader` stands in each of the partitions, in their order.
pub(crate) fn standings(reader: &mut dyn Reader, partitions: &[TopicPartition]) -> Result<Vec<Standing>, LogError> {
    let committed = reader.committed(partitions)?;
    let ends = reader.ends(partitions)?;
    let standing = |(committed, ends): (Option<headwater_core::port::Committed>, headwater_core::port::Ends)| Standing {
        position: committed.map_or(ends.start, |committed| committed.offset),
        end: ends.end,
    };
    Ok(committed.into_iter().zip(ends).map(standing).collect())
}
