"""The development parts of the compose file work: tokens are issued, mails are kept."""

import json
import os
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import jwt

from tests.deploy.compose_file import ROOT
from tuntas_embedded.ports import free_port

PARTS = ROOT / "deploy" / "compose"
WITHIN_S = 30.0


@contextmanager
def running(part: str, *arguments: str, **variables: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, str(PARTS / part), *arguments], env={**os.environ, **variables})
    try:
        yield
        assert process.poll() is None, f"{part} ended with {process.returncode}"
    finally:
        process.terminate()
        assert process.wait(timeout=15) in (0, -15)


def wait_for(answers: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not answers():
        assert time.monotonic() < deadline, f"no answer within {WITHIN_S} s"
        time.sleep(0.05)


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_issuer_gives_tokens_in_the_name_it_is_reached_by(tmp_path: Path) -> None:
    port, name = free_port(), "http://issuer:8080"
    arguments = ("--host", "127.0.0.1", "--port", str(port), "--url", name)
    with running("issuer.py", *arguments, DEVELOPMENT_CLIENT_SECRET="s3cret", TMPDIR=str(tmp_path)):
        wait_for(lambda: accepts(port))
        base = f"http://127.0.0.1:{port}"
        form = {"grant_type": "client_credentials", "client_id": "notifier", "client_secret": "s3cret"}
        token = httpx.post(f"{base}/token", data=form).raise_for_status().json()["access_token"]
        key = jwt.PyJWK(httpx.get(f"{base}/jwks").json()["keys"][0])
        claims = jwt.decode(token, key, algorithms=["ES256"], audience="tuntas", issuer=name)
        assert claims["roles"] == ["service"]
        assert httpx.post(f"{base}/token", data={**form, "client_secret": "guessed"}).status_code == 401


def test_the_mail_server_keeps_every_mail(tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "mail.jsonl"
    with running("mail.py", "--host", "127.0.0.1", "--port", str(port), "--file", str(file)):
        wait_for(lambda: accepts(port))
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.sendmail("a@lapor.example", ["b@lapor.example"], "Subject: Tanda terima\r\n\r\nLaporan Anda diterima.\r\n")
    (mail,) = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert (mail["subject"], mail["to"]) == ("Tanda terima", ["b@lapor.example"])
