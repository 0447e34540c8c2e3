"""Writing so that nothing is half-written, plain Arrow and CSV tables, worker processes."""
