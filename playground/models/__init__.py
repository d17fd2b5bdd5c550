"""Model files: headers, the starter, the library on disk, downloads."""
