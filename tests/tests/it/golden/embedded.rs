use std::process::Command;

use headwater_tests::binary;

#[test]
fn the_embedded_demo_checks_itself_with_one_and_four_workers() {
    for workers in ["1", "4"] {
        let output = Command::new(binary("flights")).args(["demo", "--workers", workers]).output().expect("the demo runs");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{shown}\n{}", String::from_utf8_lossy(&output.stderr));
        let verdict = "21148 of 21148 origin-hours, 16 of 16 carriers, 44559 of 44559 groundings equal";
        assert!(shown.contains(verdict), "{shown}");
    }
}
