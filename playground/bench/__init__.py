"""Benchmarks: what is measured, what came out, how it is written down and compared with earlier runs."""
