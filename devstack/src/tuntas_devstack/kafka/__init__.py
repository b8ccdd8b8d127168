"""The brokers of one stack, and by which users its clients connect."""
