from harness.terminal.download_view import download_view


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


def test_where_nobody_watches_nothing_is_drawn(console):
    with download_view("R-50.pth", console) as progress:
        progress(1, 2)
    assert console.file.getvalue() == ""
