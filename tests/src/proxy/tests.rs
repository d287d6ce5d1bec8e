use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::frame::{self, Request, correlation_of_reply};
use super::rules::Rules;
use super::*;

/// A request's frame with the header that all versions have in common.
fn request(api: Api, version: i16, correlation: i32, client: &str, body: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    message.extend(api.0.to_be_bytes());
    message.extend(version.to_be_bytes());
    message.extend(correlation.to_be_bytes());
    message.extend((client.len() as i16).to_be_bytes());
    message.extend(client.as_bytes());
    message.extend(body);
    framed(&message)
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as i32).to_be_bytes(), message].concat()
}

/// The whole beginning of an EndTxn of librdkafka's (version 1) and of Java's clients (version 5, with KIP-482's tagged fields).
fn end_txn(version: i16, commits: bool) -> Vec<u8> {
    let flag = u8::from(commits);
    let body: &[u8] = match version {
        // transactional id, producer id, epoch, whether to commit
        ..3 => &[0, 2, b'i', b'd', 0, 0, 0, 0, 0, 0, 0, 7, 0, 1, flag],
        // no tags in the header; the same with a compact string; no tags
        _ => &[0, 3, b'i', b'd', 0, 0, 0, 0, 0, 0, 0, 7, 0, 1, flag, 0],
    };
    request(Api::END_TXN, version, 9, "app", body)
}

#[test]
fn frames_come_in_pieces_and_end_between_two() {
    struct Dripping<'a>(&'a [u8]);
    impl Read for Dripping<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let some = buffer.len().min(3).min(self.0.len());
            buffer[..some].copy_from_slice(&self.0[..some]);
            self.0 = &self.0[some..];
            Ok(some)
        }
    }
    let (one, two) = (framed(b"first message"), framed(b""));
    let both = [one.clone(), two.clone()].concat();
    let mut dripping = Dripping(&both);
    assert_eq!(frame::read(&mut dripping).unwrap(), Some(one.clone()));
    assert_eq!(frame::read(&mut dripping).unwrap(), Some(two));
    assert_eq!(frame::read(&mut dripping).unwrap(), None);
    assert!(frame::read(&mut Dripping(&one[..7])).is_err(), "cut off in the middle");
    for length in [-1, i32::MAX] {
        assert!(frame::read(&mut Dripping(&length.to_be_bytes())).is_err(), "no message is {length} bytes long");
    }
}

#[test]
fn requests_and_replies_say_what_they_are() {
    let frame = request(Api::PRODUCE, 9, 77, "app", b"records");
    let parsed = Request::parse(&frame).unwrap();
    assert_eq!((parsed.api, parsed.version, parsed.correlation, parsed.client), (Api::PRODUCE, 9, 77, "app"));
    assert_eq!(parsed.commits(), None);
    assert_eq!(correlation_of_reply(&framed(&[0, 0, 0, 77, 1, 2])), Some(77));
    // A client without a name, and what is too short to be a request.
    let mut nameless = request(Api::METADATA, 1, 1, "", b"");
    nameless[12..14].copy_from_slice(&(-1i16).to_be_bytes());
    assert_eq!(Request::parse(&nameless).unwrap().client, "");
    assert_eq!((Request::parse(&framed(b"short")), correlation_of_reply(&framed(b"abc"))), (None, None));
    for version in [1, 5] {
        for commits in [true, false] {
            let frame = end_txn(version, commits);
            assert_eq!(Request::parse(&frame).unwrap().commits(), Some(commits), "version {version}");
        }
    }
}

#[test]
fn rules_apply_to_whom_they_are_about_and_as_often_as_they_say() {
    let rules = Rules::new(1);
    let judge = |frame: &[u8]| rules.judge(&Request::parse(frame).unwrap()).map(|verdict| verdict.fault);
    let (commit, abort) = (end_txn(1, true), end_txn(1, false));
    rules.add(Rule::times(2, Api::END_TXN, Fault::LoseReply).of("app").that_commits(true));
    assert_eq!(judge(&request(Api::PRODUCE, 9, 1, "app", b"")), None, "another api");
    assert_eq!(judge(&request(Api::END_TXN, 1, 1, "other", &[1])), None, "another client");
    assert_eq!(judge(&abort), None, "an abort");
    let hits: Vec<bool> = (0..4).map(|_| judge(&commit).is_some()).collect();
    assert_eq!(hits, [true, true, false, false]);

    rules.add(Rule::one_in(4, Api::END_TXN, Fault::LoseRequest));
    let hits = (0..1000).filter(|_| judge(&abort) == Some(Fault::LoseRequest)).count();
    assert!((150..350).contains(&hits), "{hits} of 1000");
    rules.clear();
    assert!((0..100).all(|_| judge(&abort).is_none()));
}

/// Something that answers each request with its correlation id and keeps what it got.
fn echo() -> (FaultProxy, thread::JoinHandle<Vec<i32>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = FaultProxy::start(1);
    proxy.forward_to(&listener.local_addr().unwrap().to_string());
    let server = thread::spawn(move || {
        let mut seen = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            while let Ok(Some(frame)) = frame::read(&mut stream) {
                let correlation = Request::parse(&frame).unwrap().correlation;
                if correlation < 0 {
                    return seen;
                }
                seen.push(correlation);
                let _ = stream.write_all(&framed(&correlation.to_be_bytes()));
            }
        }
        seen
    });
    (proxy, server)
}

fn ask(stream: &mut TcpStream, api: Api, correlation: i32) -> Option<i32> {
    stream.write_all(&request(api, 0, correlation, "app", b"")).ok()?;
    let reply = frame::read(stream).ok()??;
    correlation_of_reply(&reply)
}

#[test]
fn faults_happen_to_the_requests_they_are_meant_for() {
    let (proxy, server) = echo();
    let connect = || TcpStream::connect(proxy.address()).unwrap();
    let mut stream = connect();
    proxy.add(Rule::next(Api::PRODUCE, Fault::LoseReply));
    assert_eq!(ask(&mut stream, Api::FETCH, 1), Some(1));
    assert_eq!(ask(&mut stream, Api::PRODUCE, 2), None, "its reply is lost and the connection closed");
    assert_eq!(ask(&mut stream, Api::FETCH, 3), None, "closed");

    let mut stream = connect();
    assert_eq!(ask(&mut stream, Api::PRODUCE, 4), Some(4));
    proxy.add(Rule::next(Api::PRODUCE, Fault::LoseRequest));
    assert_eq!(ask(&mut stream, Api::PRODUCE, 5), None);

    let mut stream = connect();
    let delay = Duration::from_millis(100);
    proxy.add(Rule::next(Api::FETCH, Fault::DelayReply(delay)));
    let began = Instant::now();
    assert_eq!(ask(&mut stream, Api::FETCH, 6), Some(6));
    assert!(began.elapsed() >= delay);

    proxy.refuse(true);
    assert_eq!(ask(&mut stream, Api::FETCH, 7), None, "cut");
    assert_eq!(ask(&mut connect(), Api::FETCH, 8), None, "refused");
    proxy.refuse(false);
    let mut stream = connect();
    assert_eq!(ask(&mut stream, Api::FETCH, 9), Some(9));
    assert_eq!((proxy.count(Api::PRODUCE), proxy.count(Api::FETCH)), (2, 1));
    let _ = ask(&mut stream, Api::FETCH, -1);
    assert_eq!(server.join().unwrap(), [1, 2, 4, 6, 9], "what came through: 2 although its reply was lost, 5 not");
}
