"""`tuntas ops doctor`: looks at every part of an installation, and says of each that it is well or what to do."""

from tuntas_operations.doctor.examination import examine
from tuntas_operations.doctor.findings import Finding

__all__ = ["Finding", "examine"]
