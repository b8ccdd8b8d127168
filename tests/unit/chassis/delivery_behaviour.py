"""How delivery behaves, whatever broker and database it runs on. Each subclass gives `make`."""

from collections.abc import Callable

import pytest

from tests.support.counting import Added, Asked, first_steps
from tests.unit.chassis.delivery_harness import DeliveryUnderTest
from tuntas_chassis.ids import new_id
from tuntas_contracts.cases import InputRefused
from tuntas_contracts.vocabulary import CaseState, Service

KEYS = [f"key-{n}" for n in range(20)]
Make = Callable[..., DeliveryUnderTest]


def an_input(amount: int) -> Asked:
    """An input of its own."""
    return Asked(case_id=new_id(), input_id=new_id(), occurred_at="2026-01-05T00:00:00Z", amount=amount)


def the_answer_to(asked: Asked) -> InputRefused:
    """An owner's event that answers it."""
    return InputRefused(
        case_id=asked.case_id,
        version=2,
        occurred_at=asked.occurred_at,
        state=CaseState.AT_AGENCY,
        owner=Service.DISPATCH,
        input_id=asked.input_id,
        code="not_answered",
        detail="-",
    )


class OnceAndInOrder:
    """Every message takes effect once and in its key's order, and so does what it leads to."""

    async def test_every_message_takes_effect_once_and_in_order(self, make: Make) -> None:
        delivery = make()
        await delivery.start()
        await delivery.feed([(key, Added(amount=n)) for n in range(50) for key in KEYS])
        await delivery.all_published(1000)
        assert await delivery.totals() == {key: (sum(range(50)), 50) for key in KEYS}
        assert first_steps(await delivery.published()) == {key: list(range(1, 51)) for key in KEYS}

    async def test_the_order_of_a_key_holds_over_small_batches(self, make: Make) -> None:
        delivery = make(batch_max=7)
        await delivery.feed([(key, Added(amount=n)) for n in range(1, 11) for key in KEYS])
        await delivery.start()
        await delivery.all_published(200)
        assert sorted(delivery.counting.seen) == sorted((n, "catching up") for n in range(1, 11) for _ in KEYS)
        assert first_steps(await delivery.published()) == {key: list(range(1, 11)) for key in KEYS}

    async def test_the_same_event_twice_has_one_effect(self, make: Make) -> None:
        delivery = make()
        await delivery.start()
        ids = [new_id() for _ in range(30)]
        await delivery.feed([("a", Added(amount=1), i) for i in ids] * 2 + [("b", Added(amount=1))])
        await delivery.all_published(31)
        await delivery.feed([("a", Added(amount=1), i) for i in ids] + [("c", Added(amount=1))])
        await delivery.all_published(32)
        await delivery.reach({"a": (30, 30), "b": (1, 1), "c": (1, 1)})

    async def test_an_input_is_answered_once_under_whatever_event_id(self, make: Make) -> None:
        delivery = make(partitions=1)
        await delivery.start()
        ask = an_input(5)
        await delivery.feed([("a", ask), ("a", ask), ("a", Added(amount=1))])
        await delivery.all_published(2)
        await delivery.feed([("a", ask), ("a", Added(amount=1))])  # in a later batch too
        await delivery.reach({"a": (7, 3)})

    async def test_an_unknown_type_is_skipped_and_counted(self, make: Make) -> None:
        delivery = make(partitions=1)
        await delivery.start()
        await delivery.feed([("a", Added(amount=1))], kind="FromTheFuture")
        await delivery.feed([("a", Added(amount=1))])
        await delivery.reach({"a": (1, 1)})

        async def counted() -> bool:
            return await delivery.count("other", "skipped") == 1

        await delivery.until(counted, "the unknown one is counted")
        await delivery.all_waiting(0)

    async def test_a_clean_shutdown_leaves_nothing_unsent(self, make: Make) -> None:
        delivery = make()
        await delivery.start()
        await delivery.feed([(key, Added(amount=1)) for key in KEYS for _ in range(20)])
        await delivery.reach(dict.fromkeys(KEYS, (20, 20)))
        await delivery.stop()
        assert len(await delivery.published()) == 400

    async def test_own_events_are_not_read_but_those_that_are_tracked(self, make: Make) -> None:
        delivery = make(partitions=1, subscription={"track_own": [Asked]})
        await delivery.start()
        await delivery.feed([("a", Added(amount=1)), ("a", an_input(2))], source="counting")
        await delivery.feed([("a", Added(amount=4))])
        await delivery.reach({"a": (6, 2)})
        assert delivery.counting.seen == [(2, "new"), (4, "new")]

    async def test_messages_that_matter_only_while_catching_up_are_skipped_afterwards(self, make: Make) -> None:
        delivery = make(partitions=1, subscription={"catching_up_only": [Added]})
        await delivery.feed([("a", Added(amount=1))])
        await delivery.start()
        await delivery.reach({"a": (1, 1)})
        await delivery.feed([("a", Added(amount=2)), ("a", an_input(4))])
        await delivery.reach({"a": (5, 2)})

    async def test_a_refused_message_is_answered_once_though_it_is_read_again(self, make: Make) -> None:
        delivery = make(partitions=1, subscription={"refuses": True})
        await delivery.start()
        await delivery.feed([("a", Added(amount=1)), ("a", Added(amount=1, fail=True)), ("a", Added(amount=1))])
        await delivery.feed_raw([(None, b"malformed", [])])
        await delivery.all_published(4)
        await delivery.stop()
        await delivery.set_positions(0)
        await delivery.start()
        await delivery.feed([("a", Added(amount=1))])
        await delivery.reach({"a": (3, 3)})
        await delivery.all_published(5)
        refused = [body.total for key, body, _ in await delivery.published() if key == "refused"]
        assert refused == [1, 3], "each by its place, and once"
        await delivery.all_waiting(0)


class FaultsAndRestores:
    """Faults of the database, crashes, and databases that were put back."""

    async def test_a_transient_fault_keeps_the_batch_intact(self, make: Make) -> None:
        delivery = make()
        await delivery.start()
        delivery.faults.before_commit = 3
        await delivery.feed([(key, Added(amount=n)) for n in range(5) for key in KEYS])
        await delivery.all_published(100)
        assert delivery.faults.before_commit == 0
        assert first_steps(await delivery.published()) == {key: [1, 2, 3, 4, 5] for key in KEYS}
        assert (delivery.metrics.value("tuntas_consumer_retries_total", "counting.in") or 0) >= 3
        assert delivery.metrics.value("tuntas_consumer_gaps_total", "counting.in") == 0, "the same records are tried, not read again"
        await delivery.all_waiting(0)

    async def test_a_commit_whose_answer_is_lost_has_one_effect(self, make: Make) -> None:
        delivery = make(partitions=1)
        await delivery.start()
        delivery.faults.after_commit = 1
        await delivery.feed([("a", Added(amount=n)) for n in range(5)])
        await delivery.reach({"a": (10, 5)})
        await delivery.feed([("a", Added(amount=5))])
        await delivery.reach({"a": (15, 6)})
        await delivery.all_published(6)
        assert [body.steps for _, body, _ in await delivery.published()] == [1, 2, 3, 4, 5, 6]

    async def test_positions_alone_keep_a_batch_from_a_second_effect(self, make: Make) -> None:
        delivery = make(partitions=1, subscription={"remembered": False})
        await delivery.start()
        delivery.faults.after_commit = 1
        await delivery.feed([("a", Added(amount=n)) for n in range(5)])
        await delivery.reach({"a": (10, 5)})
        await delivery.feed([("a", Added(amount=5))])
        await delivery.reach({"a": (15, 6)})

    async def test_a_crash_between_the_commit_and_kafkas_offsets_has_no_second_effect(self, make: Make) -> None:
        delivery = make(partitions=1)
        await delivery.start()
        await delivery.feed([(key, Added(amount=1)) for key in KEYS for _ in range(10)])
        await delivery.all_published(200)
        await delivery.crash()
        await delivery.set_group_offsets(0)
        await delivery.start()
        await delivery.feed([("last", Added(amount=1))])
        await delivery.all_published(201)
        assert await delivery.totals() == {**dict.fromkeys(KEYS, (10, 10)), "last": (1, 1)}
        assert len(delivery.counting.seen) == 201, "nothing is even looked at again"

    async def test_kafkas_offsets_are_not_believed(self, make: Make) -> None:
        delivery = make(partitions=1)
        await delivery.feed([("a", Added(amount=1)) for _ in range(10)])
        await delivery.set_group_offsets(10)
        await delivery.start()
        await delivery.reach({"a": (10, 10)})

    async def test_a_topic_that_is_read_again_from_its_beginning_changes_nothing(self, make: Make) -> None:
        delivery = make(partitions=1)
        await delivery.start()
        await delivery.feed([(key, Added(amount=1)) for key in KEYS for _ in range(10)])
        await delivery.all_published(200)
        await delivery.crash()
        await delivery.set_positions(0)
        await delivery.start()
        await delivery.feed([("last", Added(amount=1))])
        await delivery.all_published(201)
        assert await delivery.totals() == {**dict.fromkeys(KEYS, (10, 10)), "last": (1, 1)}
        assert len(await delivery.published()) == 201
        assert await delivery.count("Added", "known_id") == 200

    async def test_positions_that_are_lost_under_a_running_consumer_have_no_second_effect(self, make: Make) -> None:
        delivery = make(partitions=1)
        await delivery.start()
        await delivery.feed([(key, Added(amount=1)) for key in KEYS for _ in range(10)])
        await delivery.reach(dict.fromkeys(KEYS, (10, 10)))
        await delivery.set_positions(100)
        await delivery.feed([(key, Added(amount=1)) for key in KEYS])
        await delivery.reach(dict.fromkeys(KEYS, (11, 11)))

        async def read_again() -> bool:
            return await delivery.count("Added", "known_id") == 100

        await delivery.until(read_again, "it has started again")
        await delivery.all_published(220)
        assert len(await delivery.published()) == 220

    async def test_a_database_put_back_to_a_backup_catches_up_and_sends_the_same_again(self, make: Make) -> None:
        delivery = make()
        await delivery.start()
        empty = await delivery.backup()
        await delivery.feed([(key, Added(amount=1)) for key in KEYS for _ in range(5)])
        await delivery.all_published(100)
        await delivery.crash()
        await delivery.restore(empty)
        await delivery.start()
        await delivery.reach(dict.fromkeys(KEYS, (5, 5)))
        await delivery.all_published(100)
        assert len({i for _, _, i in await delivery.published()}) == 100, "the second life's messages bear the first life's ids"

    async def test_what_a_running_consumers_database_lost_is_read_again_and_inputs_are_held_meanwhile(self, make: Make) -> None:
        delivery = make(partitions=1, subscription={"answers_inputs": True})
        await delivery.start()
        await delivery.feed([("a", Added(amount=1))])
        await delivery.reach({"a": (1, 1)})
        backup = await delivery.backup()
        await delivery.feed([("a", an_input(10)), ("a", an_input(20)), ("a", Added(amount=1))])
        await delivery.reach({"a": (32, 4)})
        await delivery.restore(backup)
        await delivery.feed([("a", Added(amount=1))])
        await delivery.reach({"a": (33, 5)})
        asked = [one for one in delivery.counting.seen if one[0] >= 10]
        assert asked[:2] == [(10, "new"), (20, "new")]
        assert asked[2:] == [(10, "catching up"), (20, "catching up"), (10, "held"), (20, "held")]
        await delivery.feed([("a", an_input(30))])
        await delivery.reach({"a": (63, 6)})
        assert delivery.counting.seen[-1] == (30, "new")

    @pytest.mark.parametrize("batch_max", [1, 100])
    async def test_a_held_input_that_the_topic_answers_further_on_is_dropped(self, make: Make, batch_max: int) -> None:
        delivery = make(partitions=1, subscription={"answers_inputs": True}, batch_max=batch_max)
        answered, open_ = an_input(10), an_input(20)
        await delivery.feed([("a", answered), ("a", open_), ("a", the_answer_to(answered))])
        await delivery.start()
        await delivery.reach({"a": (20, 2)})
        assert delivery.counting.seen == [(10, "catching up"), (20, "catching up"), (20, "held")]

    async def test_a_recreated_topic_is_halted_until_an_operator_has_it_read_again(self, make: Make) -> None:
        delivery = make(partitions=1)
        await delivery.start()
        await delivery.feed([("a", Added(amount=1)) for _ in range(5)])
        await delivery.all_published(5)
        await delivery.stop()
        await delivery.recreate_input()
        await delivery.start()
        await delivery.halted()
        await delivery.feed([("a", Added(amount=1)) for _ in range(2)])
        await delivery.halted()
        assert await delivery.totals() == {"a": (5, 5)}
        await delivery.stop()
        await delivery.set_positions(0)
        await delivery.start()
        await delivery.reach({"a": (7, 7)})
