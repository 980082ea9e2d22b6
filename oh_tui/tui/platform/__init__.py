"""What Textual does not do by itself, and what of its private API that takes."""
