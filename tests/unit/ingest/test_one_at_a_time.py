"""Copies of one content pass one after the other; other contents never wait for them."""

import threading
from concurrent.futures import ThreadPoolExecutor

from functions.ingest.duplicates import one_at_a_time


def test_different_contents_do_not_wait_for_each_other() -> None:
    """All are inside at once, however many there are: none shares another one's turn."""
    many = 300
    inside = threading.Barrier(many, timeout=20)

    def enter(content: int) -> None:
        with one_at_a_time("sales", str(content)):
            inside.wait()

    with ThreadPoolExecutor(many) as pool:
        list(pool.map(enter, range(many)))


def test_copies_of_one_content_pass_one_after_the_other() -> None:
    now_inside, most = 0, 0

    def enter(_: int) -> None:
        nonlocal now_inside, most
        with one_at_a_time("sales", "same"):
            now_inside += 1
            most = max(most, now_inside)
            now_inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(200)))
    assert most == 1
