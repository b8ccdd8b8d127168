"""Drills: one fault after the other on a throw-away stack, and a verdict by a counter that shares no code with `reconcile`."""
