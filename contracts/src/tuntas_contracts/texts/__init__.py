"""What people write: one normal form, whether anything can be seen in it, and the identifiers in it, masked."""
