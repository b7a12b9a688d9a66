"""Verification: state and changes made again from the interactions, and held against the topics."""
