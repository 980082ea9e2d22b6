"""Files that hold runs."""
