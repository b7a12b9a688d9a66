"""Stage changes to HTTP endpoints: which ones go where, how each tool is told, and when it is tried again."""
