"""What a step shows, as blocks of text."""
