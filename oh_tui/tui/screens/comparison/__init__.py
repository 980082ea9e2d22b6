"""The view of two or more runs that are compared."""
