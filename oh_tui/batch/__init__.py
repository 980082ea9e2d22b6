"""Many runs at once: search in all of them, and sums over them."""
