"""Faults of `lifecycle webhooks`: a receiver that fails in every way, and what must have arrived all the same."""
