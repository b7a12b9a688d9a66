"""Official SDKs against a real collector, worker and Kafka: `make sdks`."""
