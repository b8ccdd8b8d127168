"""What watches the platform: Prometheus beside the local stack, rules, dashboards."""
