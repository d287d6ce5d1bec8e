//! Where Apache Kafka is.

use std::fs;
use std::path::PathBuf;

/// The release that `scripts/kafka-jars.sh` fetches.
const VERSION: &str = "4.3.0";

/// The directory with the brokers' jars.
pub fn directory() -> PathBuf {
    let cache = std::env::var_os("HW_BUILD_CACHE").map(PathBuf::from).unwrap_or_else(|| {
        let home = std::env::var_os("HOME").expect("HOME or HW_BUILD_CACHE must be set");
        PathBuf::from(home).join(".cache/headwater")
    });
    let directory = cache.join(format!("kafka-{VERSION}"));
    assert!(
        fs::exists(directory.join(".complete")).unwrap_or(false),
        "Apache Kafka {VERSION} is not in {}: run `make setup` (or scripts/kafka-jars.sh), then try again",
        directory.display()
    );
    directory.join("libs")
}
