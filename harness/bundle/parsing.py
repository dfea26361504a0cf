"""JSON that anybody may have written, as the dataclass that it must be."""

from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from harness.errors import BundleError

Parsed = TypeVar("Parsed")


def parsed(kind: type[Parsed], content: bytes, name: str) -> Parsed:
    """`content` as `kind`, whose fields have just the types that it says.

    Args:
        kind: a dataclass.
        content: the JSON.
        name: of what it is read from, for the error.

    Raises:
        BundleError: it is no JSON, or that of something else.
    """
    try:
        return TypeAdapter(kind).validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "as a whole"
        raise BundleError(f"{name} is damaged: {where:.80}: {first['msg']}") from error
