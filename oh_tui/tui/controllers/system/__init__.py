"""The user's machine: its clipboard, programs, browser and download folder."""
