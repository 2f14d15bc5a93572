//! Shared pieces of the heavy tests.
