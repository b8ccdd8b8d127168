"""Intake's database and its cryptography."""
