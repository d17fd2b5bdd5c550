"""The tables: every setting is one row; panel, command line, files, engine and docs derive from it."""
