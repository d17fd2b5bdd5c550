"""Another quant of a model: by llama.cpp's own quantizer, in a process of its own.

Only `worker` knows llama.cpp, and nobody imports it; the others are the app's side.
"""
