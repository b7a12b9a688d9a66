"""One transaction after another on connections of our own: the five requests of each, and nothing else."""
