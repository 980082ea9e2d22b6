"""The endpoints of the demo, as the real servers answer them."""
