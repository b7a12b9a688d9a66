"""Spans of OpenTelemetry, of batches, of requests to the collector and to endpoints; imported where tracing is on."""
