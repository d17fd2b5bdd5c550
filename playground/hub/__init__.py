"""Models on the Hugging Face Hub: found, looked at and judged for this machine before anything is downloaded.

Every function here blocks and takes a `cancelled`; none runs on the window's thread.
"""
