use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The path of an application's binary, built from the sources as they are now, in the profile of the running test.
/// Panics with the compiler's output if it does not build.
pub fn binary(app: &'static str) -> PathBuf {
    static BUILT: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let test = std::env::current_exe().expect("a running program has a path");
    // .../<profile>/deps/it-<hash>
    let profile = test.parent().and_then(|deps| deps.parent()).expect("cargo puts tests into <profile>/deps");
    // Held while it builds: whoever asks meanwhile waits for it.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !built.contains(app) {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "-p", app]);
        if profile.ends_with("release") {
            build.arg("--release");
        }
        let output = build.output().expect("cargo, which runs this test, can be run");
        assert!(output.status.success(), "{app} does not build:\n{}", String::from_utf8_lossy(&output.stderr));
        built.insert(app);
    }
    profile.join(app)
}
