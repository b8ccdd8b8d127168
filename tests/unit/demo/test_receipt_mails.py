"""Reporters of the demo find their access codes in the mail sink's file."""

import json
from pathlib import Path

from tuntas_demo.receipt_mails import ReceiptMails


def written(file: Path, tracking_id: str, body: str, *, whole: bool = True) -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"subject": f"Laporan {tracking_id} telah kami terima", "body": body}) + ("\n" if whole else ""))


async def test_the_code_is_found_once_its_mail_is_there_and_the_later_one_counts(tmp_path: Path) -> None:
    file = tmp_path / "mail.jsonl"
    mails = ReceiptMails(file)
    assert mails.code_of("K7QM-2XD9-4TAB") is None
    written(file, "K7QM-2XD9-4TAB", "nomor K7QM-2XD9-4TAB, kode AAAA-BBBB-CCCC-DDDD.")
    written(file, "5V16-2YYA-9HS6", "nomor 5V16-2YYA-9HS6, dengan kode akses yang Anda terima")
    assert await mails.wait_for_code("K7QM-2XD9-4TAB", 0) == "AAAA-BBBB-CCCC-DDDD"
    assert mails.code_of("5V16-2YYA-9HS6") is None
    written(file, "K7QM-2XD9-4TAB", "nomor K7QM-2XD9-4TAB, kode EEEE-BBBB-CCCC-DDDD.")
    written(file, "5V16-2YYA-9HS6", "kode 1111-2222-3333-4444", whole=False)
    assert mails.code_of("K7QM-2XD9-4TAB") == "EEEE-BBBB-CCCC-DDDD"
    assert mails.code_of("5V16-2YYA-9HS6") is None
