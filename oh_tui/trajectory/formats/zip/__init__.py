"""Zips and folders with a run as OpenHands writes it: a file per event."""
