"""The dock under the chat: each token's latency, and the engines' memory."""
