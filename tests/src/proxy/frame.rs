//! Kafka's framing: four bytes of length, then the message.

use std::io::{self, Read};

use super::Api;

/// Far above what brokers accept: what claims more is no Kafka message.
const LONGEST: usize = 256 << 20;

/// The next message with its length in front, none where the sender has closed between two.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut frame = vec![0; 4];
    let begun = from.read(&mut frame)?;
    if begun == 0 {
        return Ok(None);
    }
    from.read_exact(&mut frame[begun..])?;
    let length = i32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]);
    let length = usize::try_from(length).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "this is not Kafka's protocol"))?;
    frame.resize(4 + length, 0);
    from.read_exact(&mut frame[4..])?;
    Ok(Some(frame))
}

/// What the proxy knows of a request: all versions of its header begin like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request<'a> {
    pub(super) api: Api,
    pub(super) version: i16,
    pub(super) correlation: i32,
    pub(super) client: &'a str,
    body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Takes a frame apart; none if it is too short for a request.
    pub(super) fn parse(frame: &'a [u8]) -> Option<Request<'a>> {
        let (api, rest) = frame.get(4..)?.split_first_chunk()?;
        let (version, rest) = rest.split_first_chunk()?;
        let (correlation, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        // -1 is a client that does not say who it is.
        let length = usize::try_from(i16::from_be_bytes(*length)).unwrap_or(0);
        let client = std::str::from_utf8(rest.get(..length)?).ok()?;
        Some(Request {
            api: Api(i16::from_be_bytes(*api)),
            version: i16::from_be_bytes(*version),
            correlation: i32::from_be_bytes(*correlation),
            client,
            body: &rest[length..],
        })
    }

    /// Of an `EndTxn`: whether it commits. It is the last field; from version 3 on (KIP-482) the count of tagged fields, 0, follows.
    pub(super) fn commits(&self) -> Option<bool> {
        let after = if self.version >= 3 { 2 } else { 1 };
        let place = self.body.len().checked_sub(after)?;
        (self.api == Api::END_TXN).then(|| self.body[place] != 0)
    }
}

/// A reply's correlation id.
pub(super) fn correlation_of_reply(frame: &[u8]) -> Option<i32> {
    frame.get(4..)?.first_chunk().map(|id| i32::from_be_bytes(*id))
}
