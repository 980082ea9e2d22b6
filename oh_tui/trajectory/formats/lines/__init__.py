"""JSON lines with a run per row, and the files beside them."""
