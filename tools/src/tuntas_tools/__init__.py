"""Generators: schemas, AsyncAPI documents, manifests, rules, dashboards, diagrams. Nothing of it is installed where the platform runs."""
