"""The Models page: what is on this machine, what the Hub has, what is being fetched and made."""
