"""The paper's claims, examined, as Markdown and CSV."""

from collections.abc import Iterator

from harness.errors import HarnessError, unknown
from harness.report.claims_blocks import Block, claims_blocks, claims_notes
from harness.report.claims_frame import claims_frame
from harness.report.claims_table import Claims
from harness.report.markdown import escaped, padded_table
from harness.report.tables import CSV_DECIMALS

CLAIMS_SUFFIXES = ("md", "csv")


def render_claims(claims: Claims, format: str) -> str:
    """The claims, and which k is best, in one of the formats `CLAIMS_SUFFIXES`.

    Args:
        claims: examined.
        format: "md" or "csv".

    Raises:
        HarnessError: there is no such format.
    """
    if format not in CLAIMS_SUFFIXES:
        raise HarnessError(unknown("format", format, CLAIMS_SUFFIXES))
    if format == "csv":
        frame = claims_frame(claims).round(CSV_DECIMALS)
        return str(frame.to_csv(index=False, lineterminator="\n"))
    return "\n".join(_markdown(claims))


def _markdown(claims: Claims) -> Iterator[str]:
    for block in claims_blocks(claims):
        yield from _block(block)
        yield ""
    yield from (f"- {escaped(note)}" for note in claims_notes(claims))
    yield ""


def _block(block: Block) -> Iterator[str]:
    yield " ".join(filter(None, (f"**{escaped(block.title)}**", escaped(block.told))))
    for paragraph in block.paragraphs:
        yield from ("", escaped(paragraph))
    if block.rows:
        yield from ("", *padded_table(block.headings, block.rows, block.left))
