"""Kafka: topics, the Faust transport, and one sequential machine per partition."""
