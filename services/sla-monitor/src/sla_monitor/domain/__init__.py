"""The legal clocks as pure Python: no SQL, no I/O, no clock of its own."""
