"""Runs in formats of other programs, made into events of the model."""
