"""Commands about the files that a run changed."""
