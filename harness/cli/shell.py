"""Answers a shell that asks how a line goes on, in the protocol of typer's scripts.

Bash needs help: it takes `table1/k=2` apart at `=`, asks for the last piece only, and inserts what
it is told as it is, spaces too. Zsh and fish keep words whole and quote them.
"""

import io
import os
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NoReturn

import typer

ASKED = "_HARNESS_COMPLETE"
BY_BASH = "complete_bash"
TAKEN_APART = re.compile("[=:]+")  # of COMP_WORDBREAKS, what names may hold
TO_ESCAPE = re.compile(r"([^\w@%+=:,./-])")


def answer(app: typer.Typer) -> NoReturn:
    """Print how the line goes on, and nothing else, whatever is wrong: the person is typing."""
    by_bash = os.environ[ASKED] == BY_BASH
    told, typed, code = io.StringIO(), "", 1
    with redirect_stdout(told), redirect_stderr(io.StringIO()):
        try:
            typed = _join_words() if by_bash else ""
            app()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1  # a text would be printed
        except Exception:  # the command itself tells it, once it is given
            told.truncate(0)
    lines = told.getvalue().splitlines()
    print("\n".join(_for_bash(line, typed) for line in lines) if by_bash else "\n".join(lines))
    sys.exit(code)


def _join_words() -> str:
    """Put words together again that bash took apart, in its variables.

    Returns:
        What stands before the piece that bash asks for in that piece's word, and is not to be told
        again; a quote where the word is quoted.
    """
    pieces = os.environ.get("COMP_WORDS", "").split("\n")
    last = int(os.environ.get("COMP_CWORD", "0"))
    words: list[str] = []
    before, joins = "", False
    for piece in [*pieces, ""][: last + 1]:
        taken_apart = bool(TAKEN_APART.fullmatch(piece))
        if words and (taken_apart or joins):
            before = words[-1] + (piece if taken_apart else "")
            words[-1] += piece
        else:
            before = ""
            words.append(piece)
        joins = taken_apart
    os.environ["COMP_WORDS"], os.environ["COMP_CWORD"] = "\n".join(words), str(len(words) - 1)
    if words[-1][:1] in ("'", '"'):
        return words[-1][0]
    return before.partition("=")[2] if before.startswith("-") else before


def _for_bash(line: str, typed: str) -> str:
    if typed in ("'", '"'):
        return line  # bash closes the quote
    return TO_ESCAPE.sub(r"\\\1", line.removeprefix(typed))
