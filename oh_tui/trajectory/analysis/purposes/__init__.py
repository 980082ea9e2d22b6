"""What steps are for: looking around, editing, testing, installing, committing."""
