"""Text for people: cleaned, redacted, counted."""
