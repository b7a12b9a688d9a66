"""Input files: JSON lines and CSV, their columns, their order."""
