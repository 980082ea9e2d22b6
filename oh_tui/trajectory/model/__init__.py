"""What one run was: events, steps, pairs."""
