"""Conversations: a tree of turns, kept in SQLite as they happen."""
