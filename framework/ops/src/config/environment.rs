use std::collections::BTreeMap;

use serde_json::Value;

use super::entry::{Entry, Origin};
use super::keys::{self, PASS_THROUGH};

const PREFIX: &str = "HEADWATER_";

/// Names without a section, and the keys they stand for.
const SHORT: [(&str, &str); 1] = [("HEADWATER_INSTANCE", "run.instance")];

/// The environment layer: every variable that begins with `HEADWATER_`. Two underscores separate the levels.
pub(super) fn entries(environment: &BTreeMap<String, String>) -> Vec<Entry> {
    let ours = environment
        .iter()
        .filter(|(name, value)| name.starts_with(PREFIX) && *name != "HEADWATER_CONFIG" && !is_service_link(name, value));
    ours.map(|(name, value)| Entry {
        key: key_of(name),
        value: Value::from(value.as_str()),
        origin: Origin::Environment(name.clone()),
    })
    .collect()
}

/// The variable that sets a key.
pub(super) fn variable_for(key: &str) -> String {
    if let Some((name, _)) = SHORT.iter().find(|(_, short_for)| *short_for == key) {
        return String::from(*name);
    }
    let name = match keys::option_name(key) {
        Some(option) => format!("{}__{}", PASS_THROUGH.replace('.', "__"), option.replace('.', "_")),
        None => key.replace('.', "__"),
    };
    format!("{PREFIX}{}", name.to_ascii_uppercase())
}

fn key_of(name: &str) -> String {
    if let Some((_, key)) = SHORT.iter().find(|(short, _)| *short == name) {
        return String::from(*key);
    }
    let key = name[PREFIX.len()..].to_ascii_lowercase().replace("__", ".");
    match key.strip_prefix(PASS_THROUGH) {
        // librdkafka's names have dots where a variable's name cannot.
        Some(option) => format!("{PASS_THROUGH}{}", option.replace('_', ".")),
        None => key,
    }
}

/// Kubernetes gives every container variables for the Services of its namespace (`HEADWATER_UI_PORT=tcp://10.0.0.1:80`,
/// `HEADWATER_UI_SERVICE_HOST`, `HEADWATER_UI_PORT_80_TCP_ADDR`). Where a Service's name begins with `headwater` they
/// look like ours; refusing them would stop the application because of somebody else's Service.
fn is_service_link(name: &str, value: &str) -> bool {
    if name.contains("__") {
        return false;
    }
    let of_port = name.split_once("_PORT_").is_some_and(|(_, rest)| rest.contains("_TCP") || rest.contains("_UDP"));
    let url = name.ends_with("_PORT") && value.contains("://");
    of_port || url || name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, key: Option<&str>) {
        let environment = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let keys: Vec<String> = entries(&environment).into_iter().map(|entry| entry.key).collect();
        assert_eq!(keys, Vec::from_iter(key.map(str::to_owned)), "{name}");
    }

    #[test]
    fn maps_variables_to_keys() {
        check("HEADWATER_KAFKA__BOOTSTRAP", "b:1", Some("kafka.bootstrap"));
        check("HEADWATER_RUN__COMMIT_INTERVAL", "1s", Some("run.commit_interval"));
        check("HEADWATER_KAFKA__RDKAFKA__SECURITY_PROTOCOL", "SSL", Some("kafka.rdkafka.security.protocol"));
        check("HEADWATER_INSTANCE", "pod-0", Some("run.instance"));
        check("HEADWATER_CONFIG", "f.toml", None);
        check("PATH", "/bin", None);
        assert_eq!(variable_for("run.commit_interval"), "HEADWATER_RUN__COMMIT_INTERVAL");
        assert_eq!(variable_for("run.instance"), "HEADWATER_INSTANCE");
        assert_eq!(variable_for("kafka.rdkafka.client.id"), "HEADWATER_KAFKA__RDKAFKA__CLIENT_ID");
    }

    #[test]
    fn leaves_the_variables_of_kubernetes_services_alone() {
        check("HEADWATER_UI_PORT", "tcp://10.0.0.1:80", None);
        check("HEADWATER_UI_PORT_80_TCP_ADDR", "10.0.0.1", None);
        check("HEADWATER_UI_SERVICE_HOST", "10.0.0.1", None);
        check("HEADWATER_UI_SERVICE_PORT_HTTP", "80", None);
        check("HEADWATER_PORT", "8080", Some("port"));
    }
}
