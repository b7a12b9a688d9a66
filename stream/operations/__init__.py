"""What an operator does beside the workers: reset, replay, skip, verify."""
