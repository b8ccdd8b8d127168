"""Who gets which notice, and what becomes of it: pure Python, no clock of its own."""
