//! Asking a running process' admin server: one GET, bounded in time and size.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::error::CliError;

const LIMIT: Duration = Duration::from_secs(10);
/// More than any page of the server has.
const MOST: u64 = 64 << 20;

/// Status and body of the answer.
pub(super) fn get(address: &str, path: &str) -> Result<(u16, String), CliError> {
    let failed = |error: std::io::Error| {
        CliError::failed(format!(
            "the admin server at {address} cannot be asked: {error}; is the application running, and is this the address its log names as \
             \"admin pages at\"?"
        ))
    };
    let no_address = || CliError::usage(format!("--admin {address}: expected HOST:PORT"));
    let found = address.to_socket_addrs().map_err(|_| no_address())?.next().ok_or_else(no_address)?;
    let mut stream = TcpStream::connect_timeout(&found, LIMIT).map_err(failed)?;
    stream.set_read_timeout(Some(LIMIT)).and_then(|()| stream.set_write_timeout(Some(LIMIT))).map_err(failed)?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n").map_err(failed)?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).map_err(failed)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    match (status, answer.split_once("\r\n\r\n")) {
        (Some(status), Some((_, body))) => Ok((status, body.to_owned())),
        _ => Err(CliError::failed(format!("what answers at {address} is no admin server"))),
    }
}

/// Text as one part of a path or query.
pub(super) fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_part_of_the_path() {
        assert_eq!(escape("a/b c?ü"), "a%2Fb%20c%3F%C3%BC");
        assert_eq!(escape(r#"{"key":1}"#), "%7B%22key%22%3A1%7D");
    }

    #[test]
    fn a_wrong_address_is_named() {
        assert_eq!(get("nowhere", "/").unwrap_err().message, "--admin nowhere: expected HOST:PORT");
        let error = get("127.0.0.1:1", "/").unwrap_err();
        assert!(error.message.contains("127.0.0.1:1") && error.message.contains("running"), "{error}");
    }
}
