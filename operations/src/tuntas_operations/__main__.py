"""`python -m tuntas_operations` is `tuntas`."""

from tuntas_operations.cli import app

app(prog_name="tuntas")
