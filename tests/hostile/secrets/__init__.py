"""No secret of anybody is told, in whatever form it comes."""
