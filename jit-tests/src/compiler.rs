//! C compilers as commands: the host's own, or any cross compiler.

use ffi_jit::target::{Os, Target};
use std::path::Path;
use std::process::Command;

/// How C is made into a shared library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    /// Program and leading arguments: `cc`, or `zig cc -target aarch64-linux-gnu`.
    pub command: Vec<String>,
    /// Optimisation and other flags that runs vary.
    pub flags: Vec<String>,
}

impl Compiler {
    /// A compiler from a command line; words are split at blanks.
    pub fn new(command: &str, flags: &str) -> Self {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Compiler { command: words(command), flags: words(flags) }
    }

    /// What a run on this machine mixes: the system's compiler (or `CC`) at three levels of
    /// optimisation, and clang where it is installed. Level 1 is the cheapest that keeps values
    /// in registers.
    pub fn host() -> Vec<Compiler> {
        let cc = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let mut list: Vec<Compiler> =
            ["-O1", "-O0", "-O1", "-O2"].iter().map(|flags| Compiler::new(&cc, flags)).collect();
        if Command::new("clang").arg("--version").output().is_ok_and(|out| out.status.success()) {
            list.extend(["-O1", "-O0", "-O2"].iter().map(|flags| Compiler::new("clang", flags)));
        }
        list
    }

    /// The command as people write it.
    pub fn name(&self) -> String {
        [self.command.join(" "), self.flags.join(" ")].join(" ")
    }

    /// Compiles one source to a shared library.
    ///
    /// # Errors
    /// The command with what it printed. A layout that differs from ours fails a static assertion
    /// here.
    pub fn compile(&self, source: &Path, library: &Path, target: &Target) -> Result<(), String> {
        let (program, leading) = self.command.split_first().ok_or("an empty compiler command")?;
        let mut command = Command::new(program);
        command.args(leading).args(["-std=gnu11", "-w", "-shared"]);
        if target.os != Os::Windows {
            command.arg("-fPIC");
        }
        command.args(&self.flags).arg("-o").arg(library).arg(source);
        let output = command.output().map_err(|error| format!("{program}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr);
        let head: Vec<&str> = text.lines().take(30).collect();
        Err(format!("{command:?}: {}\n{}", output.status, head.join("\n")))
    }
}

/// What shared libraries are called.
pub const fn library_suffix(target: &Target) -> &'static str {
    match target.os {
        Os::Windows => "dll",
        Os::Darwin => "dylib",
        Os::Linux | Os::Android => "so",
    }
}
