"""An agency's own system works its cases over Kafka alone."""

from tests.support.kafka_log import TopicRecord
from tests.support.platform import Platform, Receipt
from tuntas_chassis.ids import new_id
from tuntas_contracts.agencies import AcceptCase, AgencyCommand, AnswerCase, RecordFollowUp, ReturnCase
from tuntas_contracts.topology import AGENCY_CASES

BANDUNG, BOGOR = "kota-32-73", "kab-32-01"
TOPIC = AGENCY_CASES.for_agency(BANDUNG)


async def assigned(platform: Platform) -> Receipt:
    """A report that an agency's system has read from its topic."""
    receipt = await platform.submit(addressed_agency=BANDUNG)
    await platform.until_events(receipt.case_id, "CaseAssigned", topic=TOPIC)
    return receipt


async def carried_out(platform: Platform, command: AgencyCommand, step: int) -> TopicRecord:
    """Send a command and wait for the change that it leads to, the `step`th of the case."""
    command_id = await platform.command(BANDUNG, command)
    changes = await platform.until_events(command.case_id, "CaseChanged", count=step, topic=TOPIC)
    assert changes[-1].body["command_id"] == str(command_id)
    return changes[-1]


async def test_the_whole_walk_by_commands(platform: Platform) -> None:
    receipt = await assigned(platform)
    case = receipt.case_id
    accepted = await carried_out(platform, AcceptCase(case_id=case, unit="dinas-perhubungan", officer="petugas-7"), 1)
    assert (accepted.body["state"], accepted.body["transition"], accepted.body["version"]) == ("dispatched", "T4", 3)
    assert (await carried_out(platform, RecordFollowUp(case_id=case, note="Sudah ditinjau."), 2)).body["transition"] == "T14"
    assert (await carried_out(platform, AnswerCase(case_id=case, answer="Lampu sudah diganti.", evidence=("foto-1.jpg",)), 3)).body[
        "transition"
    ] == "T15"
    status = await platform.until_state(receipt, "responded")
    assert (status["history"][-1]["text"], status["history"][-1]["evidence"]) == ("Lampu sudah diganti.", ["foto-1.jpg"])
    await platform.reply(receipt, "Belum menyala.")
    resumed = (await platform.until_events(case, "CaseChanged", count=4, topic=TOPIC))[-1]
    assert (resumed.body["transition"], resumed.body["text"], resumed.body["command_id"]) == ("T16", "Belum menyala.", None)
    await carried_out(platform, AnswerCase(case_id=case, answer="Sekarang menyala."), 5)
    await platform.until_state(receipt, "responded", version=7)
    await platform.confirm(receipt, 5)
    closed = (await platform.until_events(case, "CaseChanged", count=6, topic=TOPIC))[-1]
    assert (closed.body["state"], closed.body["transition"]) == ("closed", "T18")
    assert [r.body["version"] for r in await platform.agency_messages(BANDUNG, case)] == [2, 3, 4, 5, 6, 7, 8]


async def test_a_command_sent_again_changes_nothing_more(platform: Platform) -> None:
    receipt = await assigned(platform)
    command, command_id = AcceptCase(case_id=receipt.case_id, unit="layanan"), new_id()
    for _ in range(3):
        await platform.command(BANDUNG, command, command_id=command_id)
    await carried_out(platform, RecordFollowUp(case_id=receipt.case_id, note="Sudah ditinjau."), 2)
    messages = await platform.agency_messages(BANDUNG, receipt.case_id)
    assert [(r.kind, r.body.get("transition")) for r in messages] == [("CaseAssigned", "T2"), ("CaseChanged", "T4"), ("CaseChanged", "T14")]


async def test_what_can_t_be_carried_out_is_refused_with_the_reason(platform: Platform) -> None:
    receipt = await assigned(platform)
    case = receipt.case_id
    wrong_unit = await platform.command(BANDUNG, AcceptCase(case_id=case, unit="dinas-antariksa"))
    too_early = await platform.command(BANDUNG, AnswerCase(case_id=case, answer="Selesai."))
    refused = await platform.until_events(case, "ActionRefused", count=2, topic=TOPIC)
    assert [(r.body["command_id"], r.body["code"]) for r in refused] == [
        (str(wrong_unit), "unknown_unit"),
        (str(too_early), "not_in_state"),
    ]
    assert "dinas-perhubungan" in refused[0].body["detail"], "the refusal names the units that there are"
    assert "accept" in refused[1].body["detail"], "the refusal says what is possible now"
    assert (await platform.status(receipt))["state"]["code"] == "at_agency"


async def test_a_command_on_another_agency_s_topic_changes_nothing(platform: Platform) -> None:
    receipt = await assigned(platform)
    stolen = [
        await platform.command(BOGOR, command)
        for command in (ReturnCase(case_id=receipt.case_id, reason="Ambil saja."), AcceptCase(case_id=receipt.case_id, unit="layanan"))
    ]
    refused = await platform.until_events(receipt.case_id, "ActionRefused", count=2, topic=AGENCY_CASES.for_agency(BOGOR))
    assert {r.body["command_id"] for r in refused} == {str(command_id) for command_id in stolen}
    # the thief does not learn whose case it is, nor that there is one
    unknown = await platform.command(BOGOR, ReturnCase(case_id=new_id(), reason="Ambil saja."))
    other = [r for r in await platform.read_topics() if r.kind == "ActionRefused" and r.body["command_id"] == str(unknown)]
    await platform.until_idle()
    other = [r for r in await platform.read_topics() if r.kind == "ActionRefused" and r.body["command_id"] == str(unknown)]
    assert {r.body["code"] for r in refused} == {other[0].body["code"]}
    assert [r.kind for r in await platform.agency_messages(BANDUNG, receipt.case_id)] == ["CaseAssigned"]
    status = await platform.status(receipt)
    assert (status["state"]["code"], status["version"]) == ("at_agency", 2)
