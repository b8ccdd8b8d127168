"""`python -m tuntas_devstack` is `tuntas`."""

from tuntas_devstack.cli import app

app(prog_name="tuntas")
