"""Commands that read many runs."""
