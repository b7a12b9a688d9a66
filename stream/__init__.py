"""A streaming, real-time customer-lifecycle scorer."""
