"""The settings window: sections made from the tables, and the list of shortcuts."""
