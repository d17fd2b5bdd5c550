"""The messages between the window (or the command line) and an engine process.

The only thing both sides import of each other. Closed, versioned message types as
MessagePack, never pickles: an engine parses files from strangers.
"""
