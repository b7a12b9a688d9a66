"""Repartition: carry every customer over to new topics with another number of partitions."""
