"""Prometheus beside the local stack."""
