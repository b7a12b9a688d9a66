"""The embedded broker, a process that never outlives its parent."""
