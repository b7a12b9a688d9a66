"""Doubles of marketing tools: what their official clients were seen to send is taken, and nothing else."""
