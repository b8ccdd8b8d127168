"""What the clocks need from the world: tables, bulk statements, calendar files."""
