"""The C compiler as oracle for location tables, without running our own code."""
