"""Downloads: a queue kept on disk, fetched in the background, checked by digest before anything may load it.

Files lie as in the Hub's own cache, so that other programs find them and nothing is fetched twice. No function
here runs on the window's thread; `queue` has a thread of its own and hands out snapshots.
"""
