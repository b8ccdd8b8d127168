"""`tuntas bench`: how many reports a second reach their agency, how fast, and what each costs in processor time."""
