"""Which rules a run holds and which it breaks."""
