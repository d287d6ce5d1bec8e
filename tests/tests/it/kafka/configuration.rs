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

/// Fails at once where librdkafka was built without: a mechanism or codec that is missing is refused before any broker is asked.
#[test]
fn every_way_to_sign_in_and_to_compress_is_built_in() {
    let ways: [&[(&str, &str)]; 8] = [
        &[("security.protocol", "SSL")],
        &[("sasl.mechanism", "PLAIN")],
        &[("sasl.mechanism", "SCRAM-SHA-256")],
        &[("sasl.mechanism", "SCRAM-SHA-512")],
        &[("sasl.mechanism", "OAUTHBEARER"), ("sasl.oauthbearer.method", "oidc"), ("sasl.oauthbearer.client.id", "me")],
        &[("compression.type", "zstd")],
        &[("compression.type", "lz4")],
        &[("compression.type", "snappy")],
    ];
    for way in ways {
        let mut config = KafkaConfig::new("127.0.0.1:1");
        if way[0].0 == "sasl.mechanism" {
            config = config.option("security.protocol", "SASL_SSL");
            config = config.option("sasl.username", "me").option("sasl.password", "hunter2");
        }
        if way.iter().any(|(_, value)| *value == "oidc") {
            config = config.option("sasl.oauthbearer.client.secret", "hunter2");
            config = config.option("sasl.oauthbearer.token.endpoint.url", "https://127.0.0.1:1/token");
        }
        config = way.iter().fold(config, |config, (name, value)| config.option(*name, *value));
        let config = KafkaConfig { connect_timeout: Duration::from_millis(300), ..config };
        let error = KafkaLog::connect(config).err().expect("nobody listens there");
        // A token is fetched from its issuer before a broker is asked.
        let reason = error.to_string();
        let asked = matches!(error, LogError::Unreachable { .. }) || reason.contains("Failed to acquire SASL OAUTHBEARER token");
        assert!(asked, "{way:?}: {reason}");
    }
}
