"""HTTP calls to a server: connections, pace, retries, bodies, errors. It knows no endpoint."""
