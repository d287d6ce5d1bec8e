//! Files of every format, as the records a topology would read.

use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use headwater_core::{Blueprint, DeclaredInput, Record, Timestamp, Topology};
use headwater_files::{FileError, FileOptions, FileRecords};
use tempfile::TempDir;

fn input(topic: &str) -> DeclaredInput {
    let blueprint = Blueprint::of("app", |t: &mut Topology| {
        t.input::<String, serde_json::Value>("texts").to("out");
        t.input::<i64, serde_json::Value>("numbers").to("out-2");
        t.input::<(), serde_json::Value>("all").to("out-3");
        t.input::<String, serde_json::Value>("dated").timestamp(|_, time| time).to("out-4");
        let _table = t.table::<String, serde_json::Value>("table");
    });
    blueprint.unwrap().declared_input(topic).unwrap()
}

struct Files(TempDir);

impl Files {
    fn new() -> Files {
        Files(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn read(&self, name: &str, text: &str, options: &FileOptions, topic: &str) -> Result<Vec<Record>, FileError> {
        FileRecords::open(self.write(name, text), options, &input(topic))?.collect()
    }
}

fn keyed() -> FileOptions {
    FileOptions::new().key("k").time("t")
}

/// Key, value and time of each record.
fn shown(records: &[Record]) -> Vec<(Option<String>, String, i64)> {
    let text = |bytes: &bytes::Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let show =
        |record: &Record| (record.key.as_ref().map(text), text(record.value.as_ref().unwrap()), record.timestamp.as_millis());
    records.iter().map(show).collect()
}

#[test]
fn a_row_is_an_object_of_its_columns() {
    let text = "k,t,n,x,\"a \"\"b\"\"\"\nN1,1970-01-01T00:00:01Z,-2.5,NA,true\n\"N,2\",2000,007,,\"line\nbreak\"\n";
    let records = Files::new().read("a.csv", text, &keyed(), "texts").unwrap();
    let value = |text: &str| text.to_owned();
    assert_eq!(
        shown(&records),
        [
            (Some("N1".into()), value(r#"{"k":"N1","t":"1970-01-01T00:00:01Z","n":-2.5,"x":null,"a \"b\"":true}"#), 1000),
            (Some("N,2".into()), value(r#"{"k":"N,2","t":2000,"n":"007","x":null,"a \"b\"":"line\nbreak"}"#), 2000),
        ]
    );
    assert_eq!(records.iter().map(|record| record.offset).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn what_is_null_or_text_can_be_said() {
    let options = keyed().null("-").text("n");
    let records = Files::new().read("a.tsv", "k\tt\tn\tx\n-\t0\t12\tNA\n5\t0\t-\t\n", &options, "texts").unwrap();
    assert_eq!(
        shown(&records),
        [
            (None, r#"{"k":null,"t":0,"n":"12","x":"NA"}"#.to_owned(), 1),
            (Some("5".into()), r#"{"k":5,"t":0,"n":null,"x":""}"#.to_owned(), 1)
        ]
    );
}

#[test]
fn keys_are_those_of_the_input() {
    let files = Files::new();
    let records = files.read("a.csv", "k,t\n258,0\n", &keyed(), "numbers").unwrap();
    assert_eq!(records[0].key.as_deref(), Some([0, 0, 0, 0, 0, 0, 1, 2].as_slice()));
    let lines = "{\"k\": 258, \"t\": \"1970-01-02\"}\n\n{\"k\":null,\"t\":5}\n";
    let records = files.read("a.jsonl", lines, &keyed(), "numbers").unwrap();
    assert_eq!(records[0].key.as_deref(), Some([0, 0, 0, 0, 0, 0, 1, 2].as_slice()));
    assert_eq!(records[0].value.as_deref(), Some(br#"{"k": 258, "t": "1970-01-02"}"#.as_slice()), "a line is as it was");
    assert_eq!((records[0].timestamp.as_millis(), &records[1].key), (86_400_000, &None));
    let records = files.read("a.csv", "k,t\n1,7\n", &FileOptions::new().time("t"), "all").unwrap();
    assert_eq!(records[0].key.as_deref(), Some([].as_slice()), "the only key there is");
}

#[test]
fn times_may_be_left_to_the_input_or_to_a_table() {
    let options = FileOptions::new().key("k");
    for topic in ["dated", "table"] {
        let records = Files::new().read("a.csv", "k,t\na,5\n", &options, topic).unwrap();
        assert_eq!(records[0].timestamp, Timestamp::from_millis(1), "Kafka's client takes 0 for now");
    }
}

#[test]
fn compressed_files_are_unpacked() {
    let files = Files::new();
    let pack = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    // Several members behind each other, as `cat a.gz b.gz` makes them.
    let path = files.write("A.CSV.GZ", [pack("k,t\na,1\n"), pack("b,2\n")].concat());
    let records: Result<Vec<Record>, FileError> = FileRecords::open(path, &keyed(), &input("texts")).unwrap().collect();
    assert_eq!(records.unwrap().len(), 2);
    let path = files.write("broken.csv.gz", &pack("k,t\na,1\n")[..12]);
    assert!(matches!(FileRecords::open(path, &keyed(), &input("texts")), Err(FileError::Io { .. })));
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_column() {
    let files = Files::new();
    let check = |name: &str, text: &str, topic: &str, says: &[&str]| {
        let error = files.read(name, text, &keyed(), topic).unwrap_err().to_string();
        assert!(says.iter().chain([&name]).all(|says| error.contains(says)), "{error}");
    };
    check("a.csv", "k,t\na,1\n\"b\nb\",2,3\n", "texts", &["line 3", "3 fields", "header 2"]);
    check("a.csv", "k,t\na,1\nb,soon\n", "texts", &["line 3", "column \"t\"", "\"soon\"", "2013-06-30"]);
    check("a.csv", "k,t\na,NA\n", "texts", &["line 2", "column \"t\"", "no time"]);
    check("a.csv", "k,t\na,1969-12-31\n", "texts", &["line 2", "before 1970"]);
    check("a.csv", "k,t\nmany,1\n", "numbers", &["line 2", "column \"k\"", "i64", "many"]);
    check("a.csv", "k,u\na,1\n", "texts", &["no column \"t\"", "k, u"]);
    check("a.csv", "k,t,k\n", "texts", &["\"k\" twice"]);
    check("a.jsonl", "{\"k\":\"a\",\"t\":1}\n{\"k\":\n", "texts", &["line 2", "whole"]);
    check("a.jsonl", "{\"k\":\"a\"}\n", "texts", &["line 1", "column \"t\"", "no such field"]);
    check("a.txt", "k,t\n", "texts", &[".csv", ".parquet"]);
    let latin = files.write("latin.csv", b"k,t\na,1\nb\xe9,2\n");
    let records: Result<Vec<Record>, FileError> = FileRecords::open(latin, &keyed(), &input("texts")).unwrap().collect();
    let error = records.unwrap_err().to_string();
    assert!(error.contains("line 3") && error.contains("field 1 is not UTF-8"), "{error}");
    let missing = FileRecords::open("/nowhere/a.csv", &keyed(), &input("texts")).err().unwrap().to_string();
    assert!(missing.contains("/nowhere/a.csv"), "{missing}");
}

#[test]
fn what_an_input_needs_must_be_said() {
    let files = Files::new();
    let open = |options: &FileOptions, topic: &str| files.read("a.csv", "k,t\n", options, topic).unwrap_err();
    let error = open(&FileOptions::new().time("t"), "numbers");
    assert!(matches!(error, FileError::NoKey { .. }), "{error}");
    assert!(error.to_string().contains("key=COLUMN") && error.to_string().contains("i64"), "{error}");
    let error = open(&FileOptions::new().key("k"), "texts");
    assert!(matches!(error, FileError::NoTime { .. }), "{error}");
    assert!(error.to_string().contains("time=COLUMN") && error.to_string().contains("\"texts\""), "{error}");
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_column() {
    let records = Files::new().read("a.csv", "\u{feff}k,t\na,1\n", &keyed(), "texts").unwrap();
    assert_eq!(shown(&records), [(Some("a".into()), r#"{"k":"a","t":1}"#.to_owned(), 1)]);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_is_a_feature() {
    let error = Files::new().read("a.parquet", "PAR1", &keyed(), "texts").unwrap_err();
    assert!(error.to_string().contains("feature `parquet`"), "{error}");
}
