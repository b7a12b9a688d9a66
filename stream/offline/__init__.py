"""The same step over files, without Kafka."""
