"""Generators of the reference data that the services carry, each run by hand when its source changes."""
