"""The machine that keeps what waits to be delivered: pure, without clock, I/O or randomness."""
