"""The command line: chat without Qt and without a display."""
