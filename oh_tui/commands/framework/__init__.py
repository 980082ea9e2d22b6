"""What several commands share: the frame, reading, printing, consent."""
