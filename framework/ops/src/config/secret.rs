//! Which values must never be shown.

const MARKS: [&str; 6] = ["password", "secret", "token", "sasl.jaas", "ssl.key", "oauthbearer"];

const MASK: &str = "********";

/// The value as it may be shown.
pub(super) fn masked<'a>(key: &str, value: &'a str) -> &'a str {
    if is_secret(key) { MASK } else { value }
}

/// Whether the value of this key is a secret. Rather one too many: a masked URL costs a look into the file, a password in a
/// log costs more.
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    MARKS.iter().any(|mark| key.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_credentials_and_nothing_of_ours() {
        for key in ["sasl.password", "ssl.key.pem", "SASL.OAUTHBEARER.CLIENT.SECRET", "sasl.jaas.config"] {
            assert!(is_secret(&format!("kafka.rdkafka.{key}")));
        }
        for key in ["kafka.bootstrap", "kafka.rdkafka.security.protocol", "kafka.rdkafka.sasl.username"] {
            assert!(!is_secret(key));
        }
    }
}
