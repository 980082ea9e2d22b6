"""Tests of reading shell commands."""
