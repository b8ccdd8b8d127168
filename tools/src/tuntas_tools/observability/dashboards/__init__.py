"""Grafana's dashboards: `deploy/grafana/dashboards/*.yaml` says what they show, the renderer makes Grafana's JSON of it."""
