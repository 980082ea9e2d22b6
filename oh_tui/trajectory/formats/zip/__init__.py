"""Zips and folders that hold a run, the way OpenHands writes it: a file for each event."""
