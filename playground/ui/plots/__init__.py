"""Latency and memory over time."""
