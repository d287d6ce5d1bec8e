use std::time::Duration;

use headwater_core::port::LogError;
use headwater_kafka::{KafkaConfig, KafkaLog};
use headwater_tests::within;

#[test]
fn an_unreachable_broker_is_named_in_time() {
    let error =
        within("giving up", Duration::from_secs(11), || KafkaLog::connect(KafkaConfig::new("127.0.0.1:1")).err().unwrap());
    let text = error.to_string();
    assert!(matches!(error, LogError::Unreachable { .. }), "{text}");
    assert!(text.contains("127.0.0.1:1") && text.contains("Connection refused"), "{text}");
}

#[test]
fn a_misspelt_option_is_named() {
    let error = KafkaLog::new(KafkaConfig::new("127.0.0.1:1").option("fetch.wait.max", "5")).err().unwrap();
    assert_eq!(error.to_string(), "unknown librdkafka option \"fetch.wait.max\"");
}

#[test]
fn an_option_the_engine_needs_is_refused() {
    let error = KafkaLog::new(KafkaConfig::new("127.0.0.1:1").option("enable.auto.commit", "true")).err().unwrap();
    let expected =
        "the librdkafka option \"enable.auto.commit\" cannot be set: the engine commits offsets together with its results";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_password_is_never_shown() {
    let config = KafkaConfig::new("127.0.0.1:1")
        .option("security.protocol", "SASL_PLAINTEXT")
        .option("sasl.mechanism", "PLAIN")
        .option("sasl.username", "me")
        .option("sasl.password", "hunter2");
    let config = KafkaConfig { connect_timeout: Duration::from_millis(300), ..config };
    assert!(!format!("{config:?}").contains("hunter2"));
    let error = KafkaLog::connect(config).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}
