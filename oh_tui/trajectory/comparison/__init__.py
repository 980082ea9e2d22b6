"""What two runs have in common and where they differ; pure."""
