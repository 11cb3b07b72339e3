"""Threads that wait for each other get their turn in the order they came."""

import threading
import time

from kanban.turns import Turns

LONG_S = 30.0


def _waiting(turns: Turns, count: int) -> None:
    end = time.monotonic() + LONG_S
    while len(turns._waiting) < count:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_who_comes_first_goes_first() -> None:
    """Also where the one who is done comes again at once, which a lock of Python's own lets go first."""
    turns, gone = Turns(), []

    def work(number: int) -> None:
        assert turns.take(LONG_S)
        gone.append(number)
        turns.end()

    assert turns.take(0)
    threads = []
    for number in range(10):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
        _waiting(turns, number + 1)
    turns.end()
    assert turns.take(LONG_S)
    assert gone == list(range(10))
    turns.end()
    for thread in threads:
        thread.join(LONG_S)


def test_never_more_than_may() -> None:
    turns, lock, inside, most = Turns(2), threading.Lock(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            assert turns.take(LONG_S)
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.0001)
            with lock:
                inside -= 1
            turns.end()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_S)
    assert (most, inside) == (2, 0)
    assert turns.take(0) and turns.take(0) and not turns.take(0)


def test_who_gives_up_takes_no_turn_from_others() -> None:
    turns = Turns()
    assert turns.take(0) and not turns.take(0.01)
    turns.end()
    assert turns.take(0)
