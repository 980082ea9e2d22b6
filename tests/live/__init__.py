"""Tests against the real OpenHands server: `make test-live`, never part of `make test`."""
