"""A run as one HTML page, which loads nothing: each file writes a part of it."""
