"""Agents: answer, stop and message them, and start new ones."""
