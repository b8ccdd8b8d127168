"""Proof that nothing was lost or done twice: accepted = published = owned by one service = delivered to the agency."""

from tuntas_operations.reconciliation.ledger import Difference, Ledger
from tuntas_operations.reconciliation.rounds import Reconciler

__all__ = ["Difference", "Ledger", "Reconciler"]
