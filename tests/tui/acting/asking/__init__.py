"""Questions and lines to write in: which keys answer, and which are ignored."""
