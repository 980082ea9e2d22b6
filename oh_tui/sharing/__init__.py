"""Writes a run down for others, without secrets: each file is a format."""
