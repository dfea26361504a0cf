import signal

import pytest

from harness import stop


@pytest.fixture(autouse=True)
def _no_request_yet():
    with stop.deferred():
        pass


def test_a_request_stops_at_once():
    assert not stop.requested()
    with pytest.raises(stop.Stopped, match="stopped as asked"):
        stop.request()


def test_a_second_request_does_not_disturb_the_end_that_the_first_began():
    with pytest.raises(stop.Stopped):
        stop.request()
    stop.request()


def test_a_deferred_block_notes_requests_and_goes_on():
    seen = []

    def block():
        with stop.deferred():
            seen.append(stop.requested())
            stop.request()
            stop.request()
            seen.append(stop.requested())

    # The block did not look itself: it is stopped at its end.
    with pytest.raises(stop.Stopped):
        block()
    assert seen == [False, True]


def test_a_deferred_block_that_fails_tells_its_own_error():
    def block():
        with stop.deferred():
            stop.request()
            raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        block()


def test_what_was_asked_before_a_deferred_block_is_forgotten_in_it():
    with pytest.raises(stop.Stopped):
        stop.request()
    with stop.deferred():
        assert not stop.requested()
    with pytest.raises(stop.Stopped):
        stop.request()


def test_a_signal_handler_may_ask():
    before = signal.signal(signal.SIGUSR2, lambda number, frame: stop.request())
    try:
        with pytest.raises(stop.Stopped):
            signal.raise_signal(signal.SIGUSR2)
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_a_stop_ends_a_process_like_any_exit_and_is_no_error():
    assert issubclass(stop.Stopped, SystemExit)
    assert not issubclass(stop.Stopped, Exception)
    assert issubclass(stop.PeerLost, stop.Stopped)
