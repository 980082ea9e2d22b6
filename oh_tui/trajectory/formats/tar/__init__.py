"""Tars, plain or packed, that hold runs."""
