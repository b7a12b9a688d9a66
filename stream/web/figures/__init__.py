"""Figures of days, weeks and months over all partitions, for those who ask over HTTP."""
