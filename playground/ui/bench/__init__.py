"""The Bench page: how fast models read and write on this machine, plotted over the depth of the context."""
