"""Incidents on a real product, watched by a real Prometheus: whether each alert fires, and is over in the end."""
