"""Lifecycle files: YAML 1.2 with the locations of its values, within bounds."""
