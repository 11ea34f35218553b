"""Runs both programs in turn and writes the tables of BENCHMARKS.md."""
