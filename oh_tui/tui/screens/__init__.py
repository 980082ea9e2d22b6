"""The screens above the main screen, one in each file."""
