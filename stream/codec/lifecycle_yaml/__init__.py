"""Lifecycle files: YAML 1.2 with the places of its values, within bounds."""
