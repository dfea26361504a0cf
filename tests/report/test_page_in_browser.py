"""The report in a real browser: it opens from a file, shows evidence, sorts and copies."""

import csv
import io
import itertools
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.commands.report import write_report
from harness.workplace import workplace

ROOT = Path(__file__).parents[2]
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

SMALLEST_CONTRAST = 4.5  # of text: WCAG 2, level AA


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A project with the committed metrics of the demo, and its report."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "results").mkdir()
    shutil.copytree(ROOT / "experiments", folder / "experiments")
    for part in ("published", "demo/metrics", "demo/replicates", "demo/tables"):
        shutil.copytree(ROOT / "results" / part, folder / "results" / part)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_report(workplace("demo", None, folder / "runs"))
    return folder


@pytest.fixture(scope="module")
def browser():
    options = ["--no-sandbox"]  # as root, as CI is, chromium has no sandbox of its own
    with (
        playwright.sync_playwright() as driver,
        driver.chromium.launch(executable_path=CHROMIUM, args=options) as browser,
    ):
        yield browser


@pytest.fixture(params=["light", "dark"])
def page(request, browser, clone):
    """The report, opened; that nothing went wrong is looked at when the test is over."""
    context = browser.new_context(color_scheme=request.param)
    page = context.new_page()
    wrong: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    address = (clone / "results" / "demo" / "report.html").as_uri()
    page.goto(address)
    yield page
    assert wrong == []
    assert [url for url in asked if not url.startswith("data:")] == [address]
    context.close()


def test_a_click_on_a_number_shows_its_evidence_and_escape_goes_back(page):
    number = page.locator("#table-1 table.results tr:last-of-type a").first
    number.click()
    shown = page.locator("dialog")
    assert shown.is_visible()
    assert shown.locator("h3").inner_text() == "table2 · contour"
    text = shown.inner_text()
    for known in (
        "seed 0 · d4baba01",
        "base\nd79b7410",
        "pycocotools 2.0.11",
        "commit 15decf051a87",
    ):
        assert known in text
    # The metric that was clicked stands out: its heading, the run, the mean and what is published.
    assert shown.locator("th.chosen, td.chosen").all_inner_texts() == [
        *("mAP", "32.95", "32.95", "34.54")
    ]
    page.keyboard.press("Escape")
    assert not shown.is_visible()
    assert number.evaluate("one => one === document.activeElement")


def test_the_keyboard_alone_opens_evidence(page):
    page.locator("#table-1 a.evident").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("dialog h3").inner_text() == "table2 · baseline"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_numbers_are_those_of_the_csv(page, clone, number):
    file = clone / "results" / "demo" / "tables" / f"table{number}.csv"
    expected = [
        [f"{float(line[name]):.2f}" for name in ("mAP", "AP50", "AP75", "APs", "APm", "APl")]
        for line in csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
    ]
    rows = page.locator(f"#table-{number - 1} table.results tbody tr").all()
    assert [row.locator(".ours").all_inner_texts() for row in rows] == expected


def test_a_heading_sorts_up_and_then_down(page):
    column = "#table-0 table.results td:nth-of-type(1) .ours"
    heading = page.locator("#table-0 table.results th", has_text="mAP").locator("button")
    before = page.locator(column).all_inner_texts()
    heading.click()
    assert page.locator(column).all_inner_texts() == sorted(before, key=float)
    assert page.locator("#table-0 table.results th[aria-sort]").inner_text().startswith("mAP")
    heading.click()
    assert page.locator(column).all_inner_texts() == sorted(before, key=float, reverse=True)


def test_a_table_is_copied_as_csv_and_as_latex(page, clone):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for label, suffix in (("CSV", "csv"), ("LaTeX", "tex")):
        page.locator("#table-1 button.copy", has_text=f"Copy {label}").first.click()
        copied = page.evaluate("navigator.clipboard.readText()")
        file = clone / "results" / "demo" / "tables" / f"table2.{suffix}"
        assert copied == file.read_text(encoding="utf-8")


def test_a_browser_that_lets_nobody_copy_shows_the_text_selected(page):
    refuse = "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) }"
    page.evaluate(refuse)
    page.locator("#table-1 button.copy", has_text="Copy CSV").first.click()
    selected = page.evaluate("getSelection().toString()")
    assert next(csv.reader(io.StringIO(selected)))[:3] == ["row", "Method", "mAP"]


@pytest.mark.parametrize("media", ["screen", "print"])
def test_text_stands_out_from_what_is_behind_it(page, media):
    page.emulate_media(media=media)
    page.locator("#table-1 a.evident").first.click()  # so that marked places are seen too
    for colour, behind, text in page.evaluate(COLOURS):
        assert contrast(hexadecimal(colour), hexadecimal(behind)) >= SMALLEST_CONTRAST, text


# Of each piece of text: its colour, that of the nearest part with one behind it, and its words.
COLOURS = """() => [...document.querySelectorAll("body *")]
  .filter(one => one.checkVisibility() && !one.closest("svg, .unseen, .skip, script")
      && [...one.childNodes].some(part => part.nodeType === 3 && part.data.trim()))
  .map(one => {
    let behind = one;
    while (behind && getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)")
      behind = behind.parentElement;
    return [getComputedStyle(one).color, getComputedStyle(behind ?? document.body).backgroundColor,
            one.textContent.trim().slice(0, 40)];
  })"""


def hexadecimal(colour: str) -> str:
    """Of "rgb(1, 2, 3)"; nothing of the page is see-through."""
    parts = re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", colour)
    assert parts, colour
    return "#" + "".join(f"{int(part):02x}" for part in parts.groups())


def contrast(one: str, other: str) -> float:
    """Of two colours "#rrggbb", as WCAG 2 defines it: from 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    values = [int(part, 16) / 255 for part in re.findall("[0-9a-f]{2}", colour)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return sum(weight * v for weight, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_black_on_white_has_the_highest_contrast():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_whoever_cannot_see_it_is_told_all(page):
    """Every table has a caption, every picture a text, every heading its level, in order."""
    assert page.locator("table:not(:has(> caption))").count() == 0
    assert page.locator("img:not([alt]), img[alt='']").count() == 0
    assert page.locator("svg:not([aria-hidden]):not([aria-label])").count() == 0
    assert page.locator("th:not([scope])").count() == 0
    assert page.evaluate("document.documentElement.lang") == "en"
    headings = page.locator("main :is(h1, h2, h3, h4)")
    levels = [int(tag[1]) for tag in headings.evaluate_all("all => all.map(one => one.tagName)")]
    steps = [after - before for before, after in itertools.pairwise(levels)]
    assert levels[0] == 2
    assert max(steps) <= 1


@pytest.mark.parametrize("width", [360, 800, 1600])
def test_no_part_is_wider_than_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_headings_stand_over_their_columns_and_unseen_words_are_unseen(page):
    tables = page.locator("table").all()
    for table in tables:
        sides = table.evaluate(
            """one => [...one.rows].map(row => [...row.cells].map(
                 place => getComputedStyle(place).textAlign))"""
        )
        assert all(line == sides[0] for line in sides), table.inner_text()[:80]
    widths = page.locator("#claims caption.unseen").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().width)"
    )
    assert len(widths) == 11  # ten claims, and which k is best
    assert max(widths) <= 1


def test_ids_are_sorted_as_words(page):
    # "7e611684" reads as a number too large, and an id of digits alone as a number.
    ids = ["05108722", "21764849", "7e611684", "c130169c"]
    page.evaluate(
        """ids => document.querySelectorAll("#state tbody tr").forEach((row, n) => {
             if (n < ids.length) row.cells[1].textContent = ids[n]; else row.remove(); })""",
        ids[::-1],
    )
    page.locator("#state th", has_text="id").first.locator("button").click()
    column = page.locator("#state tbody td:nth-of-type(1)")
    assert column.all_inner_texts() == ids
    page.locator("#state th", has_text="id").first.locator("button").click()
    assert column.all_inner_texts() == ids[::-1]


def test_on_paper_what_is_folded_is_unfolded(page):
    page.locator("#evidence details").first.evaluate("one => { one.open = false }")
    page.emulate_media(media="print")
    fact = page.locator("#evidence dd").first
    assert fact.evaluate("one => one.getBoundingClientRect().height") > 0


def test_headings_are_repeated_on_each_page_that_is_printed(page, tmp_path):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    text = ["pdftotext", "-layout", str(tmp_path / "report.pdf"), "-"]
    pages = subprocess.run(text, capture_output=True, text=True, check=True).stdout.split("\f")
    begun = [one for one in pages if re.search(r"publ\. [+−]", one)]
    assert len(begun) > 3  # three matrices, the first of which is higher than a page
    assert all("Boundary AP" in one for one in begun)


def test_words_that_begin_with_a_number_are_sorted_by_it(page):
    table = page.locator("#claims table", has_text="R101 mAP").first
    table.locator("th", has_text="ours").locator("button").click()
    # Table III's four gains in mAP, ours: R101 loses.
    assert table.locator("tbody td:nth-of-type(3)").all_inner_texts() == [
        *("−0.40 fails", "+1.32 holds", "+2.42 holds", "+2.89 holds")
    ]
