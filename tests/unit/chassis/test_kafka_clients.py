"""Every client is made for all the brokers that the setting names."""

import pytest

from tests.unit.chassis.builders import settings
from tuntas_chassis.messaging.kafka import client_options, make_broker


@pytest.mark.parametrize("written", ["one:1,two:2,three:3", "one:1, two:2 ,three:3"])
async def test_several_brokers_are_several_servers(written: str) -> None:
    chosen = settings(kafka=written)
    assert client_options(chosen)["bootstrap_servers"] == ["one:1", "two:2", "three:3"]
    assert list(make_broker(chosen, "test").specification.url) == ["one:1", "two:2", "three:3"]
