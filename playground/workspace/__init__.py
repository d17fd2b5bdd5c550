"""Lanes, turns, and what is going on: the state every view reads. Changed on one thread only."""
