"""The checkout that these tests stand in."""

from pathlib import Path

from tuntas_tools.contracts.checkout import Checkout

CHECKOUT = Checkout.around(Path(__file__))
