"""What the loop says to the user when an answer can’t go on."""

FULL = (
    "The context of {n_ctx:,} tokens is full, so the answer stops here. "
    "Load the model with a larger context, or start a new chat."
)
SHARED_FULL = (
    "The lanes of this model share {n_ctx:,} tokens and all are in use. "
    "Stop another lane, or load with a larger context."
)
TOO_LONG = (
    "The conversation has {n:,} tokens and the context holds {n_ctx:,}. "
    "Load the model with a larger context, or shorten the conversation."
)
STUCK = "The grammar allows no token here, so the answer can’t go on."
