"""Runs in formats of other programs, converted to events of the model."""
