"""`python -m tuntas_devstack.observability.dashboards`: write the dashboards to `deploy/grafana`."""

from tuntas_devstack.observability.dashboards import write_dashboards

for written in write_dashboards():
    print(written)
