"""A run as traces: lines of OTLP JSON by OpenTelemetry's conventions for generative AI."""
