"""manifest.json: what a bundle holds, what made it, and what is not in it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from harness.bundle.parsing import parsed
from harness.errors import BundleError
from harness.files import json_text

SCHEMA = 1
NAME = "its manifest"


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of a bundle.

    Attributes:
        sha256: of its content.
        size: in bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        results: name of the results folder: the scale, and the folder of own images.
        made_with: versions of harness and of what makes the bytes of tables and figures.
        members: every file but the manifest, by name.
        left_out: why a file that could be expected is not in it, by name.
    """

    results: str
    made_with: Mapping[str, str]
    members: Mapping[str, Member]
    left_out: Mapping[str, str]
    schema: int = SCHEMA


@dataclass(frozen=True)
class _Schema:
    schema: int


def manifest_text(manifest: Manifest) -> str:
    """The manifest as JSON."""
    return json_text(asdict(manifest))


def read_manifest(content: bytes) -> Manifest:
    """The manifest in `content`, which anybody may have written.

    Raises:
        BundleError: it is none, or of another schema.
    """
    schema = parsed(_Schema, content, NAME).schema
    if schema != SCHEMA:
        raise BundleError(
            f"{NAME} has schema {schema}, and this harness reads {SCHEMA}. Verify it with the "
            "harness that wrote it, or a newer one"
        )
    return parsed(Manifest, content, NAME)
