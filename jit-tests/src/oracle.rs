//! The C compiler as oracle: batches of random signatures are compiled and handed to a runner,
//! and what disagrees is shrunk and reported.
//!
//! The runner is a command that understands `check` of the `oracle` program: that program itself
//! on this machine, or an emulator with the program built for another target. A signature that
//! crashes kills a runner and not the run: the rest of its batch goes to the next one.

use crate::batch::{Batch, Loaded};
use crate::case::{Case, Direction};
use crate::compiler::{Compiler, library_suffix};
use crate::rng::Rng;
use crate::shrink::shrink;
use ffi_jit::abi::classify;
use ffi_jit::plan::{self, Entry, FrameLayout};
use ffi_jit::target::Target;
use ffi_jit::types::{Signature, parse_signature};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What a run does.
#[derive(Clone, Debug)]
pub struct Options {
    /// What signatures are made for.
    pub target: Target,
    /// Compilers, taken in turns.
    pub compilers: Vec<Compiler>,
    /// The command in front of `check ...`. An empty one only compiles, which compares layouts
    /// (the source asserts them) for any target.
    pub runner: Vec<String>,
    /// Where sources and libraries go.
    pub directory: PathBuf,
    /// The seed.
    pub seed: u64,
    /// Index of the first signature.
    pub first: u64,
    /// How many signatures.
    pub count: u64,
    /// How many of them share a C file.
    pub batch: u64,
    /// How many batches are in work at once.
    pub jobs: usize,
}

/// A signature on which we and the compiler disagree.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Position in its batch.
    pub number: usize,
    /// The signature.
    pub signature: Signature,
    /// Which of the two calls, and what happened.
    pub problem: String,
}

/// The outcome of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Signatures that were run in both directions.
    pub tested: u64,
    /// A text for a person, for each failure.
    pub failures: Vec<String>,
}

/// How many failures a run shrinks and describes; the rest is counted.
const DESCRIBED: usize = 5;

impl Options {
    /// Sensible values for a run on this machine.
    ///
    /// # Errors
    /// That the host has no classifier.
    pub fn host(runner: &str, seed: u64, count: u64) -> Result<Options, String> {
        let target = Target::host().map_err(|error| error.to_string())?;
        let jobs = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        let directory = std::env::temp_dir().join(format!("ffi-jit-oracle-{}", std::process::id()));
        Ok(Options {
            target,
            compilers: Compiler::host(),
            runner: vec![runner.to_owned()],
            directory,
            seed,
            first: 0,
            count,
            batch: 250,
            jobs,
        })
    }

    /// Runs everything. `progress` hears of signatures done and failures so far.
    ///
    /// # Errors
    /// What kept the run from going on: a compiler or runner that does not work. Disagreements
    /// are no errors but in the report.
    pub fn run(&self, progress: &(dyn Fn(u64, usize) + Sync)) -> Result<Report, String> {
        fs::create_dir_all(&self.directory)
            .map_err(|error| format!("{}: {error}", self.directory.display()))?;
        let batches = self.count.div_ceil(self.batch.max(1));
        let next = AtomicU64::new(0);
        let report = Mutex::new(Ok(Report::default()));
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= batches || report.lock().is_ok_and(|report| report.is_err()) {
                    return;
                }
                let done = self.random_batch(number);
                let mut report = report.lock().expect("no batch panics while it reports");
                match (&mut *report, done) {
                    (Ok(report), Ok((count, failures))) => {
                        report.tested += count;
                        report.failures.extend(failures);
                        progress(report.tested, report.failures.len());
                    }
                    (report @ Ok(_), Err(error)) => *report = Err(error),
                    (Err(_), _) => {}
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                scope.spawn(work);
            }
        });
        // Stays if it holds the files of a failure.
        let _ = fs::remove_dir(&self.directory);
        report.into_inner().expect("no batch panics while it reports")
    }

    fn compiler(&self, number: u64) -> Result<&Compiler, String> {
        let count = self.compilers.len().max(1) as u64;
        self.compilers.get((number % count) as usize).ok_or("no compiler is given".to_owned())
    }

    fn random_batch(&self, number: u64) -> Result<(u64, Vec<String>), String> {
        let first = self.first + number * self.batch;
        let count = self.batch.min(self.first + self.count - first);
        let batch = Batch::random(&self.target, self.seed, first, count);
        let compiler = self.compiler(number)?;
        let failures = self.batch(&batch, compiler)?;
        let describe = |failure: Failure| {
            static SHRUNK: AtomicUsize = AtomicUsize::new(0);
            let index = first + failure.number as u64;
            let head = format!(
                "signature {index} of seed {}, compiled by {}\n{failure}",
                self.seed,
                compiler.name()
            );
            if SHRUNK.fetch_add(1, Ordering::Relaxed) >= DESCRIBED {
                return head;
            }
            let smallest = self.shrink(&failure.signature, compiler);
            format!("{head}\n{}", self.describe(&failure.signature, &smallest))
        };
        Ok((count, failures.into_iter().map(describe).collect()))
    }

    /// Compiles and checks one batch.
    ///
    /// # Errors
    /// As [`Options::run`].
    pub fn batch(&self, batch: &Batch, compiler: &Compiler) -> Result<Vec<Failure>, String> {
        static NAMES: AtomicU64 = AtomicU64::new(0);
        let name = NAMES.fetch_add(1, Ordering::Relaxed);
        let path = |suffix: &str| self.directory.join(format!("batch{name}.{suffix}"));
        let (source, list) = (path("c"), path("txt"));
        let library = path(library_suffix(&self.target));
        let lines: Vec<String> =
            batch.signatures.iter().map(|signature| format!("{signature}\n")).collect();
        for (path, text) in [(&source, batch.text()), (&list, lines.concat())] {
            fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        compiler.compile(&source, &library, &self.target)?;
        let failures = match self.runner.split_first() {
            Some((program, leading)) => {
                let command = || {
                    let mut command = Command::new(program);
                    command.args(leading).arg("check").args([&list, &library]);
                    command.arg(self.seed.to_string());
                    command
                };
                check_all(batch, &command)?
            }
            None => Vec::new(),
        };
        if failures.is_empty() {
            for path in [source, list, library] {
                // A file that cannot be removed does no harm.
                let _ = fs::remove_file(path);
            }
        }
        Ok(failures)
    }

    /// The smallest signature found that still fails.
    fn shrink(&self, signature: &Signature, compiler: &Compiler) -> Signature {
        shrink(signature.clone(), &self.target.model, &mut |list| {
            let batch = Batch::of(&self.target, list.to_vec());
            let failures = self.batch(&batch, compiler).unwrap_or_default();
            (0..list.len()).map(|i| failures.iter().any(|failure| failure.number == i)).collect()
        })
    }

    /// What we make of a failing signature, for whoever looks into it.
    fn describe(&self, signature: &Signature, smallest: &Signature) -> String {
        let layout = match classify(&self.target, signature) {
            Ok(layout) => layout,
            Err(error) => return error.to_string(),
        };
        let frame = FrameLayout::new(signature, &self.target.model);
        let down = plan::downcall(&layout, &frame, Entry::Direct, false);
        let up = plan::upcall(&layout, &frame, &self.target);
        let small = match classify(&self.target, smallest) {
            Ok(layout) => layout.to_string(),
            Err(error) => error.to_string(),
        };
        format!(
            "{layout}\n{frame:?}\n{down}{up}shrunk: {smallest}\n{small}\nfiles: {}\n",
            self.directory.display()
        )
    }
}

/// Has the runner check a batch, again and again behind each crash.
fn check_all(batch: &Batch, runner: &dyn Fn() -> Command) -> Result<Vec<Failure>, String> {
    let mut failures = Vec::new();
    let mut fail = |number: usize, problem: String| {
        let signature = batch.signatures[number].clone();
        failures.push(Failure { number, signature, problem });
    };
    let mut from = 0;
    while from < batch.signatures.len() {
        let mut command = runner();
        let output = command.arg(from.to_string()).output();
        let output = output.map_err(|error| format!("{command:?}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut last = None;
        for message in text.lines().filter_map(Message::parse) {
            match &message {
                Message::Failed(number, problem) => fail(*number, problem.clone()),
                _ => last = Some(message),
            }
        }
        match last {
            Some(Message::Done) if output.status.success() => break,
            Some(Message::At(number)) => {
                fail(number, format!("the runner died: {}", output.status));
                from = number + 1;
            }
            _ => {
                let errors = String::from_utf8_lossy(&output.stderr);
                return Err(format!("{command:?}: {}\n{errors}", output.status));
            }
        }
    }
    Ok(failures)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.signature, self.problem)
    }
}

/// A line that `check` prints.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Message {
    /// This signature is next.
    At(usize),
    /// This signature failed.
    Failed(usize, String),
    /// All were checked.
    Done,
}

impl Message {
    fn parse(line: &str) -> Option<Message> {
        let mut words = line.splitn(3, ' ');
        let kind = words.next()?;
        if kind == "done" {
            return Some(Message::Done);
        }
        let number = words.next()?.parse().ok()?;
        match kind {
            "at" => Some(Message::At(number)),
            "failed" => Some(Message::Failed(number, words.next()?.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::At(number) => write!(f, "at {number}"),
            Message::Failed(number, problem) => write!(f, "failed {number} {problem}"),
            Message::Done => f.write_str("done"),
        }
    }
}

/// Kills the process if a signature takes a minute: a wild call may also never come back.
fn limit_time() {
    #[cfg(unix)]
    // SAFETY: replaces the process's alarm, which nobody else sets.
    unsafe {
        libc::alarm(60);
    }
}

/// How often each direction is called with new values.
const ROUNDS: u32 = 3;

/// The runner's side: checks the signatures of `list` from number `from` on against `library`,
/// on the machine it runs on, and prints messages.
///
/// # Errors
/// A list or library that cannot be read.
pub fn check(list: &Path, library: &Path, seed: u64, from: usize) -> Result<(), String> {
    let target = Target::host().map_err(|error| error.to_string())?;
    let text = fs::read_to_string(list).map_err(|error| format!("{}: {error}", list.display()))?;
    let signatures = text
        .lines()
        .map(|line| parse_signature(line, &target.model).map_err(|error| error.to_string()))
        .collect::<Result<Vec<Signature>, String>>()?;
    let batch = Batch::of(&target, signatures);
    let loaded = Loaded::open(library, &batch)?;
    for (number, signature) in batch.signatures.iter().enumerate().skip(from) {
        println!("{}", Message::At(number));
        limit_time();
        if let Err(problem) = check_one(signature, &loaded, number, seed) {
            println!("{}", Message::Failed(number, problem.replace('\n', " ")));
        }
    }
    println!("{}", Message::Done);
    Ok(())
}

fn check_one(
    signature: &Signature,
    loaded: &Loaded,
    number: usize,
    seed: u64,
) -> Result<(), String> {
    let case = Case::new(signature)?;
    let mut rng = Rng::stream(!seed, number as u64);
    for direction in Direction::ALL {
        for _ in 0..ROUNDS {
            case.run(direction, loaded, number, &mut rng)
                .map_err(|problem| format!("{}: {problem}", direction.name()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_back() {
        for message in
            [Message::At(7), Message::Failed(12, "upcall: argument 3, f32".into()), Message::Done]
        {
            assert_eq!(Message::parse(&message.to_string()), Some(message));
        }
        assert_eq!(Message::parse("something a library printed"), None);
    }
}
