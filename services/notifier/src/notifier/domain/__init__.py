"""What to tell whom, and what becomes of a notice: pure Python, no clock of its own."""
