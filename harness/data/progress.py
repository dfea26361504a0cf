"""How those who wait hear how far something is."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Progress = Callable[[int, int | None], None]  # how much is done, of how much where that is known
Watch = Callable[[str], AbstractContextManager[Progress]]  # around a piece of work with this name


def unheard(done: int, total: int | None) -> None:
    """Where nobody waits."""


@contextmanager
def unwatched(name: str) -> Iterator[Progress]:
    """Around a piece of work that nobody waits for."""
    yield unheard
