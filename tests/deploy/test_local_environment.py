"""Each service understands the settings that the local stack gives it, and needs no others."""

import pytest

from tests.deploy.compose_file import SERVICES, containers, environment
from tests.deploy.test_compose import settings_of
from tuntas_contracts.vocabulary import Service
from tuntas_devstack.service_environment import EVERY_SERVICE, OF_ONE_SERVICE


def variables(name: str) -> set[str]:
    return {*EVERY_SERVICE, *OF_ONE_SERVICE.get(Service(name), {})}


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_is_a_setting_of_the_service(name: str) -> None:
    assert variables(name) <= {f"TUNTAS_{field.upper()}" for field in settings_of(name).model_fields}


@pytest.mark.parametrize("name", SERVICES)
def test_every_required_setting_is_given_there_and_in_containers(name: str) -> None:
    required = {f"TUNTAS_{field.upper()}" for field, info in settings_of(name).model_fields.items() if info.is_required()}
    assert required <= variables(name)
    assert required <= set(environment(containers()[name]))
