"""The demo: the whole platform on this machine, thousands of reports, and everybody who acts on them, through simulated working days."""

from tuntas_demo.options import DemoOptions
from tuntas_demo.run import run_demo
from tuntas_demo.summary import Summary

__all__ = ["DemoOptions", "Summary", "run_demo"]
