"""Hostile input: text that controls terminals, JSON of any shape, keys that must not show."""
