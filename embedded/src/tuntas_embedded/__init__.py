"""Real servers as child processes, for the local stack and for tests, with no container engine."""
