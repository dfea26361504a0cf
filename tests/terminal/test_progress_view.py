import pytest

from harness.terminal.progress_view import download_view, look_view


def test_a_download_shows_its_name_and_how_far_it_is(terminal):
    with download_view("R-50.pth", terminal) as progress:
        progress(25_000_000, 100_000_000)
    text = terminal.file.getvalue()
    assert "R-50.pth" in text
    assert "25.0/100.0 MB" in text


def test_a_download_of_unknown_length_shows_what_has_come(terminal):
    with download_view("R-50.pth", terminal) as progress:
        progress(25_000_000, None)
    assert "25.0/? MB" in terminal.file.getvalue()


def test_a_look_shows_how_many_files_were_looked_at(terminal):
    with look_view("[train2017]", terminal) as progress:
        progress(64_000, 118_287)
    text = terminal.file.getvalue()
    assert "[train2017]" in text
    assert "64000/118287" in text


@pytest.mark.parametrize("view", [download_view, look_view])
def test_where_nobody_watches_nothing_is_drawn(view, console):
    with view("R-50.pth", console) as progress:
        progress(1, 2)
    assert console.file.getvalue() == ""
