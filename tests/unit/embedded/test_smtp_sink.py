"""The sink takes many mails fast, keeps each, and fails as configured."""

import asyncio
import json
import os
import signal
import smtplib
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from tuntas_embedded.smtp_sink import Fault, FaultKind, SmtpSink, repeats_by_message_id, stored_mails


def mail(number: int, text: str = "Laporan Anda telah kami terima.") -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = f"<{number}@tuntas.example>"
    message["From"], message["To"] = "noreply@tuntas.example", f"pelapor{number}@contoh.id"
    message["Subject"] = "Laporan diterima – terima kasih"
    message.set_content(text)
    return message


def send(port: int, *messages: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        for message in messages:
            client.send_message(message)


async def test_a_mail_is_kept_as_one_line_of_json(tmp_path: Path) -> None:
    file = tmp_path / "mail.jsonl"
    text = "Yth. Ibu Siti,\n\nlaporan “jalan rusak” diteruskan.\n"
    async with SmtpSink(file) as sink:
        await asyncio.to_thread(send, sink.port, mail(1, text))
    (line,) = file.read_text(encoding="utf-8").splitlines()
    kept = json.loads(line)
    assert kept["message_id"] == "<1@tuntas.example>"
    assert kept["to"] == ["pelapor1@contoh.id"]
    assert kept["from"] == "noreply@tuntas.example"
    assert kept["subject"] == "Laporan diterima – terima kasih"
    assert kept["body"] == text
    assert kept["received_at"].endswith("+00:00")
    assert file.stat().st_mode & 0o077 == 0


async def send_raw(port: int, numbers: range) -> None:
    """Send mails over one connection without a thread of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert (await reader.readline()).startswith(b"220")

    async def say(text: str, code: bytes) -> None:
        writer.write(text.encode())
        assert (await reader.readline()).startswith(code)

    await say("HELO test\r\n", b"250")
    for number in numbers:
        await say("MAIL FROM:<noreply@tuntas.example>\r\n", b"250")
        await say(f"RCPT TO:<pelapor{number}@contoh.id>\r\n", b"250")
        await say("DATA\r\n", b"354")
        await say(f"Message-ID: <{number}@tuntas.example>\r\n\r\nditerima\r\n.\r\n", b"250")
    writer.close()


async def test_thousands_come_over_several_connections(tmp_path: Path) -> None:
    file = tmp_path / "mail.jsonl"
    async with SmtpSink(file) as sink, asyncio.timeout(60):
        await asyncio.gather(*(send_raw(sink.port, range(k, 3000, 8)) for k in range(8)))
        assert sink.received == 3000
    assert {kept.message_id for kept in stored_mails(file)} == {f"<{n}@tuntas.example>" for n in range(3000)}
    assert repeats_by_message_id(file) == {}


async def test_repeats_are_counted_by_message_id(tmp_path: Path) -> None:
    file = tmp_path / "mail.jsonl"
    async with SmtpSink(file) as sink:
        await asyncio.to_thread(send, sink.port, mail(1), mail(2), mail(1), mail(1))
    assert repeats_by_message_id(file) == {"<1@tuntas.example>": 2}


@pytest.mark.parametrize(("kind", "code"), [(FaultKind.REJECT, 554), (FaultKind.DEFER, 451)])
async def test_refused_mails_are_not_kept(tmp_path: Path, kind: FaultKind, code: int) -> None:
    async with SmtpSink(tmp_path / "mail.jsonl") as sink:
        sink.fail(kind, times=1)
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            await asyncio.to_thread(send, sink.port, mail(1))
        assert refusal.value.smtp_code == code
        await asyncio.to_thread(send, sink.port, mail(2))
        assert sink.received == 1


async def test_any_answer_can_be_given_at_either_stage_and_to_some_readers_only(tmp_path: Path) -> None:
    async with SmtpSink(tmp_path / "mail.jsonl") as sink:
        sink.answer("550 5.4.5 Daily sending quota exceeded", recipients=r"^pelapor1@")
        await asyncio.to_thread(send, sink.port, mail(2))
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            await asyncio.to_thread(send, sink.port, mail(1))
        assert (refusal.value.smtp_code, refusal.value.smtp_error) == (550, b"5.4.5 Daily sending quota exceeded")
        sink.answer("452 4.2.2 Mailbox full", stage="rcpt")
        with pytest.raises(smtplib.SMTPRecipientsRefused) as full:
            await asyncio.to_thread(send, sink.port, mail(1))
        assert full.value.recipients["pelapor1@contoh.id"] == (452, b"4.2.2 Mailbox full")
        await asyncio.to_thread(send, sink.port, mail(1))
        assert sink.received == 2


@pytest.mark.parametrize("given", ['{"kind": "drop", "stage": "rcpt"}', '{"kind": "answer", "answer": "250 fine"}', '{"kind": "x"}'])
def test_a_fault_that_makes_no_sense_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"stage|answer|x"):
        Fault.parse(given)


async def test_a_dropped_connection_leaves_the_sender_in_doubt_and_the_mail_kept(tmp_path: Path) -> None:
    file = tmp_path / "mail.jsonl"
    async with SmtpSink(file) as sink:
        sink.fail(FaultKind.DROP)
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            await asyncio.to_thread(send, sink.port, mail(7))
        await asyncio.to_thread(send, sink.port, mail(7))
    assert repeats_by_message_id(file) == {"<7@tuntas.example>": 1}


async def test_a_delayed_answer_comes_late(tmp_path: Path) -> None:
    async with SmtpSink(tmp_path / "mail.jsonl") as sink:
        sink.fail(FaultKind.DELAY, delay_s=30)
        sending = asyncio.create_task(asyncio.to_thread(send, sink.port, mail(1)))
        async with asyncio.timeout(10):
            while sink.received == 0:
                await asyncio.sleep(0.01)
        assert not sending.done()
    with pytest.raises((smtplib.SMTPException, OSError)):
        await sending


def test_the_process_fails_as_its_file_says_and_ends_cleanly(tmp_path: Path) -> None:
    file, faults = tmp_path / "mail.jsonl", tmp_path / "faults.json"
    command = [sys.executable, "-m", "tuntas_embedded.smtp_sink", "--file", str(file), "--faults", str(faults)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().split(",")[0].rpartition(":")[2])
        send(port, mail(1))
        faults.write_text('{"kind": "reject", "remaining": 1}')
        with pytest.raises(smtplib.SMTPDataError):
            send(port, mail(2))
        send(port, mail(3))
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0
    assert [kept.message_id for kept in stored_mails(file)] == ["<1@tuntas.example>", "<3@tuntas.example>"]
