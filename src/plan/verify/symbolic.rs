//! Memory whose bytes are symbols: where they came from instead of what they are.

use crate::abi::{Ext, Location};
use std::collections::HashMap;

/// Something with consecutive bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Space {
    /// The call's frame.
    Frame,
    /// The stack argument area: outgoing in a downcall, incoming in an upcall.
    Stack,
    /// An integer register.
    Int(u8),
    /// The floating-point registers in order, because some CPUs name them in overlapping sizes.
    Fp,
    /// An x87 register.
    X87(u8),
    /// A local slot of the trampoline.
    Local(u8),
    /// What the pointer that travels in this location points to.
    Pointee(Location),
    /// The number of vector registers.
    VectorCount,
}

/// Where a byte came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was there when the trampoline was entered.
    Argument(Space),
    /// It was there when the call came back.
    Result(Space),
    /// It belongs to the address of this frame offset.
    Address(u32),
    /// It widens the byte before it.
    Fill(Ext),
    /// It is the constant.
    Number(u8),
    /// It belongs to errno.
    Errno,
}

/// Consecutive bytes of one origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// First byte.
    pub start: u64,
    /// Number of bytes.
    pub len: u64,
    /// Where they came from.
    pub origin: Origin,
    /// The first byte's offset in its origin.
    pub at: u64,
}

/// The defined bytes of every space. A byte is written at most once.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(HashMap<Space, Vec<Run>>);

impl Memory {
    /// Defines bytes; an empty run is nothing.
    pub(super) fn write(&mut self, space: Space, run: Run) -> Result<(), String> {
        if run.len == 0 {
            return Ok(());
        }
        let runs = self.0.entry(space).or_default();
        let next = runs.partition_point(|other| other.start < run.start);
        let ends_before = next == 0 || runs[next - 1].start + runs[next - 1].len <= run.start;
        let starts_after = runs.get(next).is_none_or(|other| run.start + run.len <= other.start);
        if !(ends_before && starts_after) {
            return Err(format!("{space:?} {} is written twice", range(&run)));
        }
        runs.insert(next, run);
        Ok(())
    }

    /// The bytes of a range, joined to as few runs as possible and counted from its start.
    pub(super) fn read(&self, space: Space, start: u64, len: u64) -> Result<Vec<Run>, String> {
        let mut found = Vec::new();
        let mut at = start;
        for run in self.0.get(&space).into_iter().flatten() {
            let skipped = at.saturating_sub(run.start);
            if at >= start + len || skipped >= run.len {
                continue;
            }
            if run.start > at {
                break;
            }
            let taken = (run.len - skipped).min(start + len - at);
            let piece = Run { start: at - start, len: taken, at: run.at + skipped, ..*run };
            found.push(piece);
            at += taken;
        }
        if at == start + len {
            Ok(joined(&found))
        } else {
            Err(format!("{space:?} has no value at {at}"))
        }
    }

    /// Forgets the spaces that `of` names.
    pub(super) fn forget(&mut self, of: impl Fn(Space) -> bool) {
        self.0.retain(|&space, _| !of(space));
    }

    /// Says how the spaces that `of` names differ from what they should be.
    pub(super) fn compare(
        &self,
        wanted: &Memory,
        of: impl Fn(Space) -> bool,
    ) -> Result<(), String> {
        let spaces = self.0.keys().chain(wanted.0.keys()).filter(|&&space| of(space));
        for &space in spaces {
            let (have, want) = (self.runs(space), wanted.runs(space));
            if have != want {
                return Err(format!("{space:?} holds {have:?} instead of {want:?}"));
            }
        }
        Ok(())
    }

    fn runs(&self, space: Space) -> Vec<Run> {
        self.0.get(&space).map(|runs| joined(runs)).unwrap_or_default()
    }

    /// The range of bytes that are defined in a space.
    pub(super) fn extent(&self, space: Space) -> Option<(u64, u64)> {
        let runs = self.0.get(&space)?;
        Some((runs.first()?.start, runs.last().map(|run| run.start + run.len)?))
    }
}

fn range(run: &Run) -> String {
    format!("[{}..{}]", run.start, run.start + run.len)
}

/// Joins neighbours whose origins are neighbours.
fn joined(runs: &[Run]) -> Vec<Run> {
    let mut joined: Vec<Run> = Vec::with_capacity(runs.len());
    for run in runs {
        match joined.last_mut() {
            Some(last)
                if last.start + last.len == run.start
                    && last.origin == run.origin
                    && last.at + last.len == run.at =>
            {
                last.len += run.len;
            }
            _ => joined.push(*run),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(start: u64, len: u64, at: u64) -> Run {
        Run { start, len, origin: Origin::Argument(Space::Frame), at }
    }

    #[test]
    fn bytes_are_written_once() {
        let mut memory = Memory::default();
        memory.write(Space::Stack, run(8, 8, 0)).unwrap();
        memory.write(Space::Stack, run(0, 8, 0)).unwrap();
        memory.write(Space::Stack, run(16, 0, 0)).unwrap();
        memory.write(Space::Stack, run(20, 4, 0)).unwrap();
        for (start, len) in [(0, 1), (4, 8), (15, 2), (7, 20), (19, 2), (23, 9)] {
            assert!(memory.write(Space::Stack, run(start, len, 0)).is_err(), "{start} {len}");
        }
        memory.write(Space::Stack, run(16, 4, 0)).unwrap();
        memory.write(Space::Frame, run(0, 4, 0)).unwrap();
    }

    #[test]
    fn reads_join_neighbours_and_find_holes() {
        let mut memory = Memory::default();
        memory.write(Space::Stack, run(0, 4, 100)).unwrap();
        memory.write(Space::Stack, run(4, 4, 104)).unwrap();
        memory.write(Space::Stack, run(8, 4, 200)).unwrap();
        memory.write(Space::Stack, run(16, 4, 300)).unwrap();
        assert_eq!(memory.read(Space::Stack, 0, 8), Ok(vec![run(0, 8, 100)]));
        assert_eq!(memory.read(Space::Stack, 2, 4), Ok(vec![run(0, 4, 102)]));
        assert_eq!(memory.read(Space::Stack, 6, 4), Ok(vec![run(0, 2, 106), run(2, 2, 200)]));
        for (start, len) in [(8, 5), (12, 1), (12, 8), (19, 2), (40, 1)] {
            assert!(memory.read(Space::Stack, start, len).is_err(), "{start} {len}");
        }
        assert!(memory.read(Space::Frame, 0, 1).is_err());
    }

    #[test]
    fn comparison_sees_every_difference() {
        let mut have = Memory::default();
        have.write(Space::Stack, run(0, 4, 0)).unwrap();
        have.write(Space::Stack, run(4, 4, 4)).unwrap();
        let want = |list: &[Run]| {
            let mut want = Memory::default();
            list.iter().for_each(|&run| want.write(Space::Stack, run).unwrap());
            want
        };
        assert!(have.compare(&want(&[run(0, 8, 0)]), |_| true).is_ok());
        for other in [&[][..], &[run(0, 4, 0)], &[run(0, 8, 1)], &[run(0, 8, 0), run(8, 1, 8)]] {
            assert!(have.compare(&want(other), |_| true).is_err(), "{other:?}");
            assert!(have.compare(&want(other), |space| space == Space::Frame).is_ok());
        }
    }
}
