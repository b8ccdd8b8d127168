"""How long the certificates are good by which this process recognises its broker and its database."""

import os
import ssl
from functools import lru_cache
from pathlib import Path

from tuntas_chassis.settings import ServiceSettings


def trusted_until(settings: ServiceSettings) -> dict[str, float]:
    """When trust in each authority ends (seconds since 1970): `kafka`, `database`. None of a file that is not given or can't be read.

    An authority that is being renewed has the old and the new certificate in its file: the last one counts.
    """
    database = os.environ.get("PGSSLROOTCERT")
    files = {"kafka": settings.kafka_ca_file, "database": Path(database) if database else None}
    found = {authority: _last_expiry(file) for authority, file in files.items() if file is not None}
    return {authority: until for authority, until in found.items() if until is not None}


def _last_expiry(file: Path) -> float | None:
    try:
        return _read(file, file.stat().st_mtime_ns)
    except (OSError, ssl.SSLError):
        return None


@lru_cache(maxsize=8)
def _read(file: Path, _changed_at: int) -> float | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(file)
    ends = [ssl.cert_time_to_seconds(str(certificate["notAfter"])) for certificate in context.get_ca_certs() if "notAfter" in certificate]
    return float(max(ends)) if ends else None
