"""The search in the steps of a run: filters, and text."""
