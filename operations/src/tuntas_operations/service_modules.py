"""The import names of the services."""

from tuntas_contracts.vocabulary import Service


def module_of(service: Service) -> str:
    """The import name of a service, which is also the name of its role and of its database."""
    return service.value.replace("-", "_")
