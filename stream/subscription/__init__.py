"""For services in Python: stage changes as they come, each processed before it counts as read."""
