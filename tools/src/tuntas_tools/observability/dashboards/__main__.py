"""`python -m tuntas_tools.observability.dashboards`: write the dashboards to `deploy/grafana`."""

from tuntas_tools.observability.dashboards import write_dashboards

for written in write_dashboards():
    print(written)
