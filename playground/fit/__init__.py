"""What a model needs in memory, from its header alone, and whether this machine has it.

Pure arithmetic over a GGUF's metadata and its list of tensors. It imports nothing of ours, so that the
app (before a download or a load) and the engine (before it opens the file) say the same numbers.
"""
