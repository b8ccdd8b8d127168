"""What is asked over HTTP: the services, the identity provider, the collector."""

import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from time import monotonic

import httpx

from tuntas_contracts.vocabulary import Service
from tuntas_operations.doctor.clocks import skew_finding
from tuntas_operations.doctor.findings import Finding, not_checked, ok, wrong
from tuntas_operations.errors import StackError, Unreachable
from tuntas_operations.installation import Installation, NotSet
from tuntas_operations.service_modules import module_of
from tuntas_operations.services_http import Refused, ServicesHttp
from tuntas_operations.settings import variable

_WITHIN_S = 8.0
_TRACES = "/v1/traces"


def service(installation: Installation, name: Service, now: Callable[[], float]) -> list[Finding]:
    """Whether a service can serve, and by which clock; `now` is this machine's."""
    about = name.value
    if name not in installation.urls:
        return [not_checked(about, "its address is not named", f"set {variable('url_' + module_of(name))}")]
    url = installation.urls[name]
    before, started = now(), monotonic()
    try:
        answer = httpx.get(f"{url}/readyz", timeout=_WITHIN_S)
    except httpx.HTTPError as error:
        return [wrong(about, f"{url} does not answer ({_named(error)})", "look whether it runs, and at its log")]
    after = before + monotonic() - started
    if answer.status_code == httpx.codes.OK:
        ready = ok(about, f"{url} is ready")
    else:
        ready = wrong(about, f"{url} is not ready: {_reasons(answer)}", "see what it names; its log says more")
    date = answer.headers.get("date")
    if date is None:
        return [ready]
    # the header has whole seconds, and is renewed once a second
    return [ready, skew_finding(f"{about} clock", parsedate_to_datetime(date).timestamp(), before, after, resolution_s=2.0)]


def _reasons(answer: httpx.Response) -> str:
    try:
        reasons = answer.json()
        return "; ".join(f"{part}: {reason}" for part, reason in reasons.items() if part != "status") or str(answer.status_code)
    except (ValueError, AttributeError):
        return f"it answers {answer.status_code}"


def issuer(installation: Installation) -> list[Finding]:
    """The identity provider: its discovery document and keys; and whether we have a token that is taken."""
    about, url = "issuer", installation.issuer
    if url is None:
        return [not_checked(about, "it is not named", f"set {variable('oidc_issuer')}"), _token(installation)]
    try:
        found = httpx.get(f"{url.rstrip('/')}/.well-known/openid-configuration", timeout=_WITHIN_S).raise_for_status().json()
        keys = httpx.get(found["jwks_uri"], timeout=_WITHIN_S).raise_for_status().json()["keys"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        problem = f"{url} gives no keys ({_named(error)})"
        return [wrong(about, problem, f"look whether it runs, and at {variable('oidc_issuer')}: without keys no token is taken")]
    if str(found.get("issuer", "")).rstrip("/") != url.rstrip("/"):
        problem = f"it calls itself {found.get('issuer')!r}, we call it {url!r}"
        return [wrong(about, problem, f"set {variable('oidc_issuer')} of all services to the name that is in its tokens")]
    if not keys:
        return [wrong(about, f"{url} lists no keys", "let it make a signing key (ES256 or RS256)")]
    return [ok(about, f"{url} answers; {len(keys)} key{'s' if len(keys) > 1 else ''}"), _token(installation)]


def _token(installation: Installation) -> Finding:
    """Whether a service takes the operator's token."""
    about = "operator's token"
    if not installation.urls:
        return not_checked(about, "no service's address is named to try it at")
    name = next(iter(installation.urls))
    try:
        with ServicesHttp(installation) as http:
            http.call(name, "GET", "/v1/parked", query={"limit": "1"})
    except NotSet as error:
        return not_checked(about, str(error))
    except Refused as error:
        if error.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return wrong(about, str(error), "get a new token of the issuer, for a person with the role operator")
        return not_checked(about, str(error))
    except Unreachable as error:
        return not_checked(about, str(error))
    except StackError as error:
        return wrong(about, str(error), "see what it says")
    return ok(about, f"{name} takes it")


def collector(installation: Installation) -> Finding:
    """Whether the OpenTelemetry collector takes traces (an empty request is a valid one)."""
    about = "collector"
    if installation.collector is None:
        return not_checked(
            about, "no collector is named, so traces go nowhere or to files", f"set {variable('otlp_endpoint')} to have it checked"
        )
    url = installation.collector.rstrip("/") + _TRACES
    todo = f"look whether it runs and receives OTLP by HTTP there, and at {variable('otlp_endpoint')}; reports are taken meanwhile"
    try:
        answer = httpx.post(url, content=b"", headers={"Content-Type": "application/x-protobuf"}, timeout=_WITHIN_S)
    except httpx.HTTPError as error:
        return wrong(about, f"{url} can't be reached ({_named(error)})", todo)
    if not answer.is_success:
        return wrong(about, f"{url} answers {answer.status_code}", todo)
    return ok(about, f"{url} takes traces")


def _named(error: Exception) -> str:
    message = re.sub(r"\s+", " ", str(error)).partition("\n")[0]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
