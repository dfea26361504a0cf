"""What is told of a bundle: what is in it, what is missing, what is equal."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from harness.bundle import Verification
from harness.bundle.manifest import Manifest
from harness.bundle.members import FOLDERS, folder_of, safe_to_print
from harness.bundle.versions import COMMIT, HARNESS

MOST_NAMES = 5
MOST_REASONS = 10  # harness knows nine, by folder
LONGEST = 100  # letters: of reasons harness gives one has 90


def verification_lines(verification: Verification) -> Iterator[str]:
    """A line for each kind of file, whether compared or not, and for each file that differs."""
    manifest = verification.manifest
    version = _short(manifest.made_with.get(HARNESS, "of no version"))
    commit = _short(manifest.made_with.get(COMMIT, "")[:8])
    made_by = f"harness {version} (commit {commit})" if commit else f"harness {version}"
    yield f"{_short(manifest.results)}: {verification.runs} runs, bundled by {made_by}"
    yield f"{len(manifest.members)} files: as they were bundled"
    equal, wrong = _by_folder(verification.equal), _by_folder(verification.wrong)
    for folder in sorted(equal.keys() | wrong.keys()):
        told = [f"{equal[folder]} equal"] if equal[folder] and wrong[folder] else []
        told += [f"{wrong[folder]} not equal"] if wrong[folder] else []
        many = f"{equal[folder] + wrong[folder]} " if folder in FOLDERS else ""
        yield f"{many}{folder}: {', '.join(told) or 'equal'}"
        yield from (
            f"  {name} {how}" for name, how in verification.wrong.items() if _kind(name) == folder
        )
    known_of = {_kind(name): told for name, told in verification.not_compared.items()}
    for folder, many_of_it in sorted(_by_folder(verification.not_compared).items()):
        yield f"{many_of_it} {folder}: {known_of[folder]}"
    yield from left_out_lines(manifest)


def left_out_lines(manifest: Manifest) -> Iterator[str]:
    """A line for each reason for which something is not in a bundle."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, reason in manifest.left_out.items():
        reasons.setdefault((folder_of(name), reason), []).append(name.rpartition("/")[2])
    told = sorted(reasons.items())
    for (folder, reason), names in told[:MOST_REASONS]:
        shown = ", ".join(_short(name.partition(".")[0]) for name in sorted(names)[:MOST_NAMES])
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        yield f"not in it, {len(names)} {_short(folder)} ({_short(reason)}): {shown}{more}"
    if len(told) > MOST_REASONS:
        yield f"not in it, for {len(told) - MOST_REASONS} more reasons: see its manifest.json"


def failure(verification: Verification, path: object) -> str:
    """One line for a bundle that is not what harness makes of it."""
    wrong = verification.wrong
    names = ", ".join(list(wrong)[:MOST_NAMES])
    more = f" and {len(wrong) - MOST_NAMES} more" if len(wrong) > MOST_NAMES else ""
    return (
        f"{path}: not what harness makes of the runs in it, or has here: {names}{more}. "
        f"{_why(verification)}"
    )


def _why(verification: Verification) -> str:
    told = []
    if verification.other_versions:
        others = versions_in_words(verification.other_versions)
        told.append(f"Versions differ, which may be why: {others}.")
    if verification.not_told:
        names = ", ".join(verification.not_told)
        told.append(f"Of these the bundle, or this installation, tells no version: {names}.")
    return " ".join(told) or (
        "It was made with the versions that are here, so it was changed, or its harness was."
    )


def versions_in_words(others: Mapping[str, tuple[str, str]]) -> str:
    """`matplotlib 3.10.8 there and 3.9.0 here`, and so on."""
    return ", ".join(
        f"{name} {_short(then)[:12]} there and {now[:12]} here"
        for name, (then, now) in others.items()
    )


def _short(text: str) -> str:
    """What a stranger may have written, for a terminal."""
    return safe_to_print(text[:LONGEST])


def _kind(name: str) -> str:
    return folder_of(name) or name


def _by_folder(names: Iterable[str]) -> Counter[str]:
    return Counter(map(_kind, names))
