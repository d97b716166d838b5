"""The journal: nothing is lost unnoticed, and the writer never waits."""

import threading

from sidecar.control.journal import Journal
from sidecar.control.ring import Gap, Subscription
from sidecar.model.injection import Brief, Form, Injection
from tests.sidecar.api.harness import injection


def filled(journal: Journal, count: int) -> Journal:
    for partition in range(count):
        journal.publish(injection(partition=partition))
    return journal


def drained(subscription: Subscription) -> list[int | Gap]:
    found: list[int | Gap] = []
    while (item := subscription.next(0)) is not None:
        found.append(item if isinstance(item, Gap) else item[0])
    return found


def test_pages_follow_each_other() -> None:
    journal = filled(Journal(capacity=8), 5)

    first = journal.list(0, 3)
    assert [sequence for sequence, _ in first.entries] == [1, 2, 3]
    assert (first.missed, first.last, first.complete) == (0, 3, False)
    second = journal.list(first.last, 3)
    assert [sequence for sequence, _ in second.entries] == [4, 5]
    assert (second.missed, second.last, second.complete) == (0, 5, True)
    assert journal.list(5, 3).entries == ()


def test_the_oldest_are_forgotten_and_counted() -> None:
    page = filled(Journal(capacity=8), 20).list(10, 100)

    assert [sequence for sequence, _ in page.entries] == list(range(13, 21))
    assert page.missed == 2


def test_a_place_in_the_future_is_the_end() -> None:
    page = filled(Journal(), 2).list(10**19, 5)

    assert (page.entries, page.missed, page.last, page.complete) == ((), 0, 2, True)


def test_filtered_pages_go_on_behind_what_was_looked_at() -> None:
    page = filled(Journal(), 6).list(0, 2, lambda found: found.partition % 2 == 1)

    assert [found.partition for _, found in page.entries] == [1, 3]
    assert page.last == 4


def test_counters_go_by_uid() -> None:
    journal = Journal()
    for uid in ("a", "b", "a"):
        journal.publish(injection(interceptor_uid=uid))

    assert (journal.count("a"), journal.count("b"), journal.count("c")) == (2, 1, 0)
    assert journal.total == 3
    journal.forget("a")
    assert journal.count("a") == 0
    assert journal.total == 3


def test_subscription_starts_now_or_where_it_is_told() -> None:
    journal = filled(Journal(), 3)
    late, resumed = journal.subscribe(), journal.subscribe(1)
    journal.publish(injection())

    assert drained(late) == [4]
    assert drained(resumed) == [2, 3, 4]
    assert resumed.position == 4


def test_a_slow_subscriber_is_told_how_many_it_missed() -> None:
    journal = Journal(capacity=4)
    subscription = journal.subscribe()
    filled(journal, 10)

    assert drained(subscription) == [Gap(6), 7, 8, 9, 10]


def test_closing_wakes_who_waits() -> None:
    journal = Journal()
    subscription = journal.subscribe()
    found: list[object] = []
    waiting = threading.Thread(target=lambda: found.append(subscription.next(60)))
    waiting.start()
    journal.close()
    waiting.join(10)

    assert found == [None]
    assert subscription.closed
    assert subscription.next(60) is None


def test_readers_on_other_threads_see_every_injection_in_order() -> None:
    journal = Journal(capacity=20_000)
    total = 10_000
    results: list[list[int]] = []

    def follow(subscription: Subscription) -> None:
        seen: list[int] = []
        while len(seen) < total and (item := subscription.next(30)) is not None:
            assert not isinstance(item, Gap)
            seen.append(item[0])
        results.append(seen)

    readers = [threading.Thread(target=follow, args=(journal.subscribe(),)) for _ in range(3)]
    for reader in readers:
        reader.start()
    record: Injection = injection()
    for _ in range(total):
        journal.publish(record)
    for reader in readers:
        reader.join(60)

    assert results == [list(range(1, total + 1))] * 3


def test_a_lapped_reader_accounts_for_every_injection() -> None:
    journal = Journal(capacity=16)
    total = 20_000
    subscription = journal.subscribe()
    seen: list[int | Gap] = []

    def follow() -> None:
        while subscription.position < total:
            item = subscription.next(30)
            assert item is not None
            seen.append(item if isinstance(item, Gap) else item[0])

    reader = threading.Thread(target=follow)
    reader.start()
    record = injection()
    for _ in range(total):
        journal.publish(record)
    reader.join(60)

    sequences = [item for item in seen if not isinstance(item, Gap)]
    missed = sum(item.missed for item in seen if isinstance(item, Gap))
    assert sequences == sorted(set(sequences))
    assert len(sequences) + missed == total


def test_readers_get_whole_injections_whatever_was_published() -> None:
    journal = Journal()
    common = injection(partition=0)
    journal.publish(Brief(Form(common, idempotent=True), 1.0, 2, 3, 4, 5, 6, 7, 8))

    [(sequence, found)] = journal.list(0, 10, lambda each: each.partition == 3).entries

    assert sequence == 1
    assert (type(found), found.partition, found.draw) == (Injection, 3, 8)
    assert journal.count(common.interceptor_uid) == 1


def test_what_was_skipped_is_counted_and_a_gap() -> None:
    journal = filled(Journal(capacity=8), 2)
    following = journal.subscribe(0)

    journal.skip("a", 20)
    filled(journal, 1)

    assert (journal.count("a"), journal.total) == (20, 23)
    assert drained(following) == [Gap(22), 23]
