"""What keys bring about, one concern each: `(session, ui)` in, messages out."""
