"""What one step says and is for: its line, its plan, its output."""
