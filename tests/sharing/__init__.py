"""What is written down of a run for others, format by format."""
