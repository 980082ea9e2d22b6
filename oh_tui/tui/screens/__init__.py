"""What stands above the main screen, one a file."""
