"""Blocks of a step to lines on the screen."""
