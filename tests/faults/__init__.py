"""Faults between us and a server, on the way, and on this machine: one sentence for each."""
