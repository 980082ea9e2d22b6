"""Rules of TOML files, and what they find in runs."""
