//! x86-64 emitter.

use super::{Blob, Unwind};
use crate::error::Result;
use crate::plan::Plan;
use crate::target::Target;

pub(super) fn emit(_plan: &Plan, _target: &Target) -> Result<Blob> {
    let unwind = Unwind { pushed_fp: 0, set_fp: 0, saved: Vec::new() };
    Ok(Blob { code: Vec::new(), unwind })
}

pub(super) fn emit_slots(_count: usize, _records: usize, _record_stride: usize) -> Result<Vec<u8>> {
    Ok(Vec::new())
}
