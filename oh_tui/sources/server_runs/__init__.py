"""Runs of a server: their events, a cache of them, and model usage."""
