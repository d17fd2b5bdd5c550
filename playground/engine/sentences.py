"""What the loop says to the user when an answer can’t go on."""

from playground.translate import later

FULL = later(
    "The context of {n_ctx:,} tokens is full, so the answer stops here. Load the model with a larger context, or "
    "start a new chat."
)
SHARED_FULL = later(
    "The lanes of this model share {n_ctx:,} tokens and all are in use. Stop another lane, or load with a larger "
    "context."
)
TOO_LONG = later(
    "The conversation has {n:,} tokens and the context holds {n_ctx:,}. Load the model with a larger context, or "
    "shorten the conversation."
)
STUCK = later("The grammar allows no token here, so the answer can’t go on.")
