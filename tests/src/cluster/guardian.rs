use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// Cleans up when this process ends, in whatever way it does: a shell that is told about every process, mount and directory, and ends,
/// unmounts and removes them once our pipe to it closes. Cheap to clone: the last clone closes the pipe.
#[derive(Clone, Debug)]
pub struct Guardian {
    shell: Arc<Mutex<Shell>>,
    directory: PathBuf,
}

#[derive(Debug)]
struct Shell {
    child: Child,
    /// Taken when the shell is to begin.
    pipe: Option<ChildStdin>,
}

impl Guardian {
    /// A guardian with a new temporary directory. Panics if there can be none.
    pub fn new(prefix: &str) -> Guardian {
        let directory = tempfile::Builder::new().prefix(prefix).tempdir().expect("a temporary directory").keep();
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(&directory)
            .stdin(Stdio::piped())
            .spawn()
            .expect("starting sh, which cleans up after us");
        let pipe = child.stdin.take();
        Guardian { shell: Arc::new(Mutex::new(Shell { child, pipe })), directory }
    }

    /// The directory, removed at the end.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A process to be ended.
    pub fn watch(&self, pid: u32) {
        self.tell(&format!("pid {pid}"));
    }

    /// The process has ended and was waited for: its number may soon be another's.
    pub fn forget(&self, pid: u32) {
        self.tell(&format!("gone {pid}"));
    }

    /// A mount to be undone.
    pub fn mounted(&self, path: &Path) {
        self.tell(&format!("mount {}", path.display()));
    }

    /// A directory below the guardian's that is to stay, with the rest of it removed: what explains a failure.
    pub fn keep(&self, name: &str) {
        self.tell(&format!("keep {name}"));
    }

    fn tell(&self, line: &str) {
        let mut shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner);
        let told = shell.pipe.as_mut().map(|pipe| writeln!(pipe, "{line}").and_then(|()| pipe.flush()));
        assert!(matches!(told, Some(Ok(()))), "the guardian is gone: what was started could outlive this process");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // Its exit says nothing: it does what it can.
        let _ = self.child.wait();
    }
}

/// Argument: the directory. Signals from the terminal reach the whole group: the guardian is the one who stays.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
pids= mounts= keep=
while read -r word value; do
    case $word in
    pid) pids="$pids $value" ;;
    gone) left=; for pid in $pids; do [ "$pid" = "$value" ] || left="$left $pid"; done; pids=$left ;;
    mount) mounts="$mounts $value" ;;
    keep) keep="$keep $value" ;;
    esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
# A process that was killed a moment ago may still hold its files.
for pid in $pids; do n=0; while kill -0 "$pid" 2>/dev/null && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done; done
for mount in $mounts; do umount -l "$mount" 2>/dev/null; done
for entry in "$1"/*; do
    name=${entry##*/}
    case " $keep " in *" $name "*) ;; *) rm -rf --one-file-system "$entry" ;; esac
done
[ -n "$keep" ] || rm -rf --one-file-system "$1"
"#;
