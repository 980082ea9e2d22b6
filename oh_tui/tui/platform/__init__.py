"""Features that Textual lacks; the only users of its private members."""
