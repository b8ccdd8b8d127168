"""The demo: the whole platform on this machine, thousands of reports, and everybody who acts on them, through simulated working days."""

from tuntas_devstack.demo.options import DemoOptions
from tuntas_devstack.demo.run import run_demo
from tuntas_devstack.demo.summary import Summary

__all__ = ["DemoOptions", "Summary", "run_demo"]
