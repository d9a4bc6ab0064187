"""Scheduled cleanup."""

import queue
import threading
from datetime import timedelta

from atomizer.ui import cleanup


def test_scheduled_calls_run_in_order_in_one_thread():
    done, threads = queue.Queue(), threading.active_count()
    for seconds, name in ((0.3, "third"), (0.1, "first"), (3600, "never"), (0.2, "second")):
        cleanup.schedule(timedelta(seconds=seconds), done.put, name)
    cleanup.schedule(timedelta(seconds=0.15), [].pop)  # fails
    assert [done.get(timeout=10) for _ in range(3)] == ["first", "second", "third"] and done.empty()
    assert threading.active_count() <= threads + 1
