"""The contract of automation servers."""
