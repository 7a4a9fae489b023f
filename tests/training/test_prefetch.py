"""Prefetching changes nothing but the time."""

from __future__ import annotations

import threading

import pytest

from neurodecode.training import prefetch


def threads():
    return [one for one in threading.enumerate() if one.name == "neurodecode-prefetch"]


def test_order_is_kept():
    assert list(prefetch(range(50), ahead=2)) == list(range(50))


def test_an_error_comes_where_its_item_would_have():
    def items():
        yield 1
        raise OSError("disk gone")

    walk = prefetch(items())
    assert next(walk) == 1
    with pytest.raises(OSError, match="disk gone"):
        next(walk)
    assert not threads()


def test_no_more_than_asked_is_made_ahead():
    made = []

    def items():
        for i in range(100):
            made.append(i)
            yield i

    walk = prefetch(items(), ahead=2)
    next(walk)
    threading.Event().wait(0.3)
    assert len(made) <= 5
    walk.close()
    assert not threads()
