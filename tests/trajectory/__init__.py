"""Tests of the trajectory model."""
