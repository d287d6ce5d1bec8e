//! Keeps passwords, keys and tokens out of errors and logs.

use std::collections::BTreeMap;

/// Whether an option's value must never be shown.
pub(crate) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "passphrase", "secret", "token", "private"].iter().any(|word| key.contains(word))
        || key.ends_with("key.pem")
        // Free text that usually carries the client's secret.
        || key == "sasl.oauthbearer.config"
        || key == "sasl.jaas.config"
}

/// The secret values of one configuration.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn of(options: &BTreeMap<String, String>) -> Secrets {
        // An empty value would match everywhere.
        Secrets(options.iter().filter(|(k, v)| is_secret(k) && !v.is_empty()).map(|(_, v)| v.clone()).collect())
    }

    /// `text` with every secret replaced.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_string(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), "***") } else { text }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_what_looks_like_a_secret() {
        for (key, secret) in [
            ("sasl.password", true),
            ("ssl.key.password", true),
            ("ssl.key.pem", true),
            ("ssl.ca.pem", false),
            ("sasl.oauthbearer.client.secret", true),
            ("sasl.username", false),
            ("linger.ms", false),
        ] {
            assert_eq!(is_secret(key), secret, "{key}");
        }
        let secrets = Secrets::of(&BTreeMap::from([
            ("sasl.password".into(), "hunter2".into()),
            ("ssl.key.password".into(), String::new()),
        ]));
        assert_eq!(secrets.hide("login with hunter2 failed"), "login with *** failed");
    }
}
