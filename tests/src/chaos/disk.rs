use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cluster::Guardian;

/// Room for the state of a process that owns every partition, several times over.
const SIZE: &str = "size=96m";

/// A small file system of its own, in memory, that can be filled.
#[derive(Debug)]
pub(super) struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts one at `path`. Panics, saying what is missing, if that is not permitted.
    pub(super) fn mount(path: &Path, guardian: &Guardian) -> Disk {
        fs::create_dir_all(path).expect("creating a mount point");
        let mut mount = Command::new("mount");
        let output = mount.args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(path).output().expect("running mount");
        assert!(
            output.status.success(),
            "a full disk needs a tmpfs of its own, and mounting one is refused: {}; run this as root, in a container with CAP_SYS_ADMIN",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        guardian.mounted(path);
        Disk { path: path.to_owned() }
    }

    /// Writes until there is no room for a single byte. Panics if the disk refuses for another reason.
    pub(super) fn fill(&self) {
        let mut file = File::create(self.filler()).expect("creating a file on an empty disk");
        for block in [1 << 20, 4096, 1] {
            let bytes = vec![0; block];
            let full = loop {
                if let Err(error) = file.write_all(&bytes) {
                    break error;
                }
            };
            assert!(matches!(full.kind(), ErrorKind::StorageFull | ErrorKind::WriteZero), "filling a disk: {full}");
        }
    }

    /// Makes room again.
    pub(super) fn free(&self) {
        fs::remove_file(self.filler()).expect("removing what filled the disk");
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}
