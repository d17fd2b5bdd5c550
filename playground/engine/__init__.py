"""The engine: one process that loads one model and writes answers with llama.cpp."""
