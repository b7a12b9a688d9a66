"""Benchmarks: ours beside others, as ratios."""
