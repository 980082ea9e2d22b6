"""What the session holds, a module for each piece. Nothing here knows a widget."""
