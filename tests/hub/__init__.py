"""A Hub on loopback with search, pages, files and a second host that large files come from."""
