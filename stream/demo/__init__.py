"""Demonstration data: `SOURCE.md` says where they come from."""
