//! The perf map: `/tmp/perf-PID.map`, one line `start size name` in hexadecimal per piece of
//! code, which `perf report` and other sampling profilers read. Written when `FFI_JIT_PERF_MAP=1`.
//!
//! Profilers consult it for anonymous memory only, so that code does not go to shared segments
//! (which look like a deleted file to them) while a map is written.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Whether a perf map was asked for.
pub(super) fn wanted() -> bool {
    static WANTED: OnceLock<bool> = OnceLock::new();
    *WANTED.get_or_init(|| std::env::var_os("FFI_JIT_PERF_MAP").is_some_and(|value| value == "1"))
}

/// Adds a line if a perf map was asked for. A map that cannot be written is done without: a
/// profiler's aid must not make a program fail.
pub(super) fn note(start: usize, len: usize, name: &str) {
    static MAP: Mutex<Option<(u32, File)>> = Mutex::new(None);
    if !wanted() {
        return;
    }
    let mut map = MAP.lock().unwrap_or_else(PoisonError::into_inner);
    let pid = std::process::id();
    if map.as_ref().is_none_or(|(owner, _)| *owner != pid) {
        *map = open(pid).ok().map(|file| (pid, file));
    }
    if let Some((_, file)) = map.as_mut() {
        let _ = file.write_all(line(start, len, name).as_bytes());
    }
}

/// One line; what would end the line early or confuse a terminal is replaced.
fn line(start: usize, len: usize, name: &str) -> String {
    let name = name.replace(|c: char| c.is_control(), "?");
    format!("{start:x} {len:x} ffi-jit:{name}\n")
}

/// Opens the map for appending (V8 writes to the same file under `--perf-basic-prof`), without
/// following a link that someone else may have put into the shared directory.
fn open(pid: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC);
    }
    options.open(format!("/tmp/perf-{pid}.map"))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_line_is_start_size_name() {
        assert_eq!(line(0x7f00_1000, 0x40, "(i32) -> void"), "7f001000 40 ffi-jit:(i32) -> void\n");
        assert_eq!(line(16, 1, "a\nb"), "10 1 ffi-jit:a?b\n");
    }
}
