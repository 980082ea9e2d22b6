"""All runs of the source at once: searching them."""
