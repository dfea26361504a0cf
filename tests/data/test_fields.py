"""How a message shows what a file holds."""

import pytest

from harness.data.fields import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("dining table", "dining table"),
        ("人 🐈 é $x$", "人 🐈 é $x$"),
        ("half \ud83d", "half ?"),
        ("\x1b[2Jcat", "?[2Jcat"),  # clears a terminal
        ("a\nb\tc\r", "a?b?c?"),
        ("\x9b31m", "?31m"),  # the same in one letter
        ("\u202egpj.exe", "?gpj.exe"),  # turns what follows round
    ],
)
def test_what_cannot_be_printed_is_a_question_mark(text, shown):
    assert printable(text) == shown
