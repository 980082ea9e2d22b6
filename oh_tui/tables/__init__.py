"""One description of a column for all that show rows: lists, printed tables, JSON and CSV."""
