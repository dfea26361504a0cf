"""The page as text. All that is shown is escaped; the page may load nothing and run one script."""

import base64
import hashlib
import math
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from harness.report.claims_blocks import claims_blocks, claims_notes
from harness.report.notes import MISSING
from harness.report.page import curves, differences
from harness.report.page.content import Page, TableSection
from harness.report.page.tables import table_view
from harness.report.row_evidence import RowEvidence, row_evidence

HERE = "harness.report.page"
SOURCES = ("style.css", "script.js")
# Nothing from elsewhere: no network, no fonts, no frames, no forms. The one style and the one
# script are known by their hashes, so nothing that slips into a text can act.
POLICY = (
    "default-src 'none'; img-src data:; style-src '{style}'; script-src '{script}'; "
    "base-uri 'none'; form-action 'none'"
)


def render_page(page: Page) -> str:
    """The whole report as one HTML file; the same page gives the same text."""
    style, script = (files(HERE).joinpath(name).read_text("utf-8") for name in SOURCES)
    views: list[tuple[str, object]] = []
    evidence: list[tuple[str, str, RowEvidence]] = []  # its id, its name, and what it is
    for number, (name, section) in enumerate(page.tables.items()):
        if isinstance(section, str):
            views.append((name, section))
            continue
        # Numbers, since a row's name may hold anything.
        ids = {row: f"evidence-{number}-{n}" for n, row in enumerate(section.table.cells.index)}
        of_rows = row_evidence(section.table, section.differences, section.evidence)
        evidence += [(ids[row], f"{name} · {row}", one) for row, one in of_rows.items()]
        views.append((name, _table(section, ids)))
    return _template().render(
        page=page,
        policy=POLICY.format(style=_hash(style), script=_hash(script)),
        style=Markup(style),
        script=Markup(script),
        tables=views,
        evidence=evidence,
        curves=list(curves.curve_views(page.curves)),
        claims=claims_blocks(page.claims) if page.claims else [],
        claims_notes=list(claims_notes(page.claims)) if page.claims else [],
        runs=page.runs.to_dict("records"),
        states=page.runs["state"].value_counts().to_dict(),
        missing=MISSING,
        uri=_data_uri,
        interval_px=(differences.WIDTH, differences.HEIGHT),
        panel_px=(curves.WIDTH, curves.HEIGHT),
    )


def _table(section: TableSection, ids: dict[str, str]) -> dict[str, object]:
    return {
        "table": table_view(section, ids),
        "differences": differences.differences_view(section.differences, ids),
        "section": section,
    }


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader(HERE, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["known"] = _known
    return environment.get_template("page.html.jinja")


def _known(value: float | None, format: str) -> str:
    """A number as text; "" where there is none."""
    return "" if value is None or math.isnan(value) else format.format(value)


def _hash(text: str) -> str:
    """As a Content-Security-Policy names a style or script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _data_uri(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
