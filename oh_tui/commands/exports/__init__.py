"""Runs to be passed on: the command `export` and its formats for programs."""
