"""Bytes to core and back."""
