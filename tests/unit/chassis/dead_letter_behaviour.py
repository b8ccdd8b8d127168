"""How dead letters behave, whatever broker and database delivery runs on. Each subclass gives `make`."""

from uuid import UUID

import pytest

from tests.support.counting import Added
from tests.unit.chassis.delivery_behaviour import Make
from tuntas_chassis.http.problems import Problem

EVER = UUID(int=0)


class DeadLetters:
    """What can't be handled waits with its reason, its key's later messages behind it, and all other keys continue."""

    async def test_later_messages_of_the_key_wait_and_are_replayed_in_order(self, make: Make) -> None:
        delivery = make()
        await delivery.start()
        await delivery.feed([("a", Added(amount=1)), ("a", Added(amount=10, fail=True)), ("b", Added(amount=1))])
        await delivery.reach({"a": (1, 1), "b": (1, 1)})
        await delivery.feed([("a", Added(amount=2)), ("a", Added(amount=3)), ("b", Added(amount=1))])
        first, *behind = await delivery.all_waiting(3)
        await delivery.reach({"a": (1, 1), "b": (2, 2)})
        assert [m.state for m in (first, *behind)] == ["parked", "waiting", "waiting"]
        failed = await delivery.dead_letters.replay(first.id, "operator")
        assert (failed.replayed, failed.waiting) == (0, 3)
        assert "asked to fail" in str(failed.error)
        assert (await delivery.dead_letters.show(first.id)).listed.attempts == 2
        result = await delivery.dead_letters.discard(first.id, "operator")
        assert result.replayed == 2
        await delivery.reach({"a": (6, 3), "b": (2, 2)})
        await delivery.feed([("a", Added(amount=4))])
        await delivery.reach({"a": (10, 4), "b": (2, 2)})
        await delivery.all_published(6)
        assert [body.total for key, body, _ in await delivery.published() if key == "a"] == [1, 3, 6, 10]

    async def test_a_replay_once_the_fault_is_gone_has_the_effect_of_the_events_place(self, make: Make) -> None:
        """Own events that could not be handled while a restored database caught up."""
        delivery = make(partitions=1)
        delivery.counting.broken.add(7)
        await delivery.feed([("a", Added(amount=n)) for n in (1, 7, 2)], source="counting")
        await delivery.start()
        first, behind = await delivery.all_waiting(2)
        assert (first.state, behind.state) == ("parked", "waiting")
        await delivery.reach({"a": (1, 1)})
        failed = await delivery.dead_letters.replay(first.id, "siti")
        assert (failed.replayed, failed.waiting) == (0, 2)
        delivery.counting.broken.clear()
        result = await delivery.dead_letters.replay(behind.id, "siti")
        assert (result.replayed, result.waiting, result.error) == (2, 0, None), "whichever is named, the first goes first"
        await delivery.reach({"a": (10, 3)})
        assert delivery.counting.seen == [(1, "replayed"), (7, "replayed"), (2, "replayed")]
        await delivery.all_waiting(0)

    async def test_a_replay_that_would_have_no_effect_says_so(self, make: Make) -> None:
        delivery = make(partitions=1)
        delivery.counting.broken.add(7)
        await delivery.feed([("a", Added(amount=7))], source="counting")
        await delivery.start()
        [only] = await delivery.all_waiting(1)
        delivery.counting.broken.clear()
        await delivery.forget_catching_up()  # so that it is an own event that came back, which counts as done
        result = await delivery.dead_letters.replay(only.id, "siti")
        assert (result.replayed, result.waiting) == (0, 1)
        assert "no effect" in str(result.error)
        assert delivery.counting.seen == []

    async def test_a_record_before_a_dead_letter_does_not_wait_when_it_is_read_again(self, make: Make) -> None:
        delivery = make(partitions=1)
        await delivery.start()
        await delivery.feed([("a", Added(amount=1)), ("a", Added(amount=10, fail=True)), ("a", Added(amount=2))])
        await delivery.all_waiting(2)
        await delivery.reach({"a": (1, 1)})
        await delivery.stop()
        await delivery.set_positions(0)
        await delivery.forget_inbox()
        await delivery.start()
        await delivery.feed([("b", Added(amount=1))])
        await delivery.reach({"a": (2, 2), "b": (1, 1)})
        await delivery.all_waiting(2)

    async def test_who_closed_what_when_and_why_is_kept(self, make: Make) -> None:
        delivery = make()
        await delivery.start()
        await delivery.feed([("a", Added(amount=10, fail=True)), ("a", Added(amount=2)), ("b", Added(amount=10, fail=True))])
        await delivery.all_waiting(3)
        letters = delivery.dead_letters
        first = (await letters.list(EVER, 10, key="a"))[0]
        assert (await letters.list(EVER, 10, resolved=True)) == []
        await letters.discard(first.id, "siti", "sent twice by mistake")
        closed = await letters.list(EVER, 10, resolved=True)
        assert [(m.state, m.key, m.resolved_by, m.resolution_reason) for m in closed] == [
            ("discarded", "a", "siti", "sent twice by mistake"),
            ("replayed", "a", "siti", f"behind {first.id}: sent twice by mistake"),
        ]
        assert all(m.resolved_at is not None and m.resolved_at >= m.parked_at for m in closed)
        assert await letters.list(EVER, 10, key="a") == []
        assert [m.key for m in await letters.list(EVER, 10)] == ["b"]
        with pytest.raises(Problem, match="discarded"):
            await letters.replay(first.id, "late")

    async def test_several_of_a_key_are_given_up_together(self, make: Make) -> None:
        delivery = make()
        await delivery.start()
        await delivery.feed([("a", Added(amount=10, fail=True)), ("a", Added(amount=20)), ("a", Added(amount=3))])
        await delivery.all_waiting(3)
        await delivery.feed([("b", Added(amount=10, fail=True))])
        first, sound, _, other = await delivery.all_waiting(4)
        with pytest.raises(Problem) as refused:
            await delivery.dead_letters.discard(first.id, "siti", "a mistake", [sound.id, other.id])
        assert refused.value.status == 422
        await delivery.all_waiting(4)
        result = await delivery.dead_letters.discard(first.id, "siti", "a mistake", [sound.id])
        assert (result.replayed, result.waiting) == (1, 0)
        await delivery.reach({"a": (3, 1)})

    async def test_who_reads_the_content_of_a_message_and_why_is_kept(self, make: Make) -> None:
        delivery = make()
        await delivery.start()
        await delivery.feed([("a", Added(amount=10, fail=True))])
        [listed] = await delivery.all_waiting(1)
        letters = delivery.dead_letters
        await letters.show(listed.id)
        assert await letters.accesses(EVER, 10) == []
        found = await letters.read_content(listed.id, "auditor-1", "complaint 7")
        assert b"amount" in (found.record.value or b"")
        assert [(a.subject, a.reason, a.message_id) for a in await letters.accesses(EVER, 10)] == [("auditor-1", "complaint 7", listed.id)]

    async def test_a_row_that_the_database_refuses_costs_only_its_own_key(self, make: Make) -> None:
        delivery = make(partitions=1)
        await delivery.start()
        await delivery.feed(
            [(f"k{n}", Added(amount=1)) for n in range(20)]
            + [("bad", Added(amount=1)), ("bad", Added(amount=1, poison=True)), ("bad", Added(amount=1)), ("last", Added(amount=1))]
        )
        letters = await delivery.all_waiting(3)
        assert [(m.key, m.state) for m in letters] == [("bad", "parked"), ("bad", "waiting"), ("bad", "waiting")]
        await delivery.reach({**{f"k{n}": (1, 1) for n in range(20)}, "last": (1, 1)})
        await delivery.feed([("bad", Added(amount=1)), ("last", Added(amount=1))])
        await delivery.all_waiting(4)
        await delivery.all_published(22)
        assert len(await delivery.published()) == 22, "what was taken apart is not sent twice"
        assert await delivery.count("Added", "known_id") == 0, "nor read twice"

    async def test_an_undecodable_message_says_why_and_blocks_no_other_key(self, make: Make) -> None:
        delivery = make(partitions=1)
        await delivery.start()
        await delivery.feed([("sound", Added(amount=1))])
        await delivery.feed([("bad", Added(amount=1))], kind="Asked")
        await delivery.feed_raw([(b"no-headers", b"{}", []), (None, b"malformed", [])])
        await delivery.feed([("sound", Added(amount=1))])
        letters = await delivery.all_waiting(3)
        await delivery.reach({"sound": (2, 2)})
        assert {m.error_type for m in letters} == {"Undecodable"}
        assert "input_id" in letters[0].error, "the reason names the field"

    async def test_too_many_halt_their_partition_until_an_operator_resumes_it(self, make: Make) -> None:
        delivery = make(partitions=1, park_limit_per_minute=20, batch_max=10)
        await delivery.start()
        await delivery.feed_raw([(b"same-partition", b"malformed", []) for _ in range(100)])
        await delivery.halted()
        assert len(await delivery.dead_letters.list(EVER, 1000)) < 100

        async def halted_again_or_done() -> bool:
            halted = delivery.metrics.value("tuntas_consumer_halted_partitions", "counting.in") == 1
            return halted or len(await delivery.dead_letters.list(EVER, 1000)) == 100

        while len(await delivery.dead_letters.list(EVER, 1000)) < 100:
            await delivery.resume_halted()
            await delivery.until(halted_again_or_done, "it halts again, or all is kept")
