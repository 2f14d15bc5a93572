//! Golden files: heads that people write, bodies that the code under test makes.
//!
//! Lines that start with `#` and blank lines are comment, other lines without indentation are
//! heads, indented lines are the body of the head above. A check makes every body anew and
//! compares; with `BLESS=1` in the environment it rewrites the file instead.

use std::fmt::Write;
use std::path::PathBuf;

/// Checks `jit-tests/golden/<name>`, which must have at least `least` heads.
pub fn check(name: &str, least: usize, body: impl Fn(&str) -> String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    let old = std::fs::read_to_string(&path).expect("the golden file");
    let (mut new, mut heads) = (String::new(), 0);
    for line in old.lines() {
        if line.starts_with(' ') {
            continue;
        }
        writeln!(new, "{line}").unwrap();
        if !line.is_empty() && !line.starts_with('#') {
            heads += 1;
            for line in body(line).lines() {
                writeln!(new, "    {line}").unwrap();
            }
        }
    }
    assert!(heads >= least, "{name} has {heads} heads; {least} are expected");
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, new).expect("the golden file");
        return;
    }
    let mut head = "";
    for (i, (was, is)) in old.lines().zip(new.lines()).enumerate() {
        assert_eq!(was, is, "{name}:{} under {head:?}; BLESS=1 accepts it", i + 1);
        if !was.starts_with(' ') {
            head = was;
        }
    }
    assert_eq!(old.lines().count(), new.lines().count(), "{name}: lines; BLESS=1 accepts it");
}
