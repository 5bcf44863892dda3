"""The page in a real browser: what is clicked, typed and pointed at, and what attackers wrote."""

from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ordbench.report.html.content import Report
from ordbench.report.html.page import render_page
from ordbench.report.html.study import StudiedColumn
from ordbench.results.store import Store
from tests.ordbench.report.html.conftest import ERRORS, HOSTILE, IMG, OpenPage, write_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MINUS = "\N{MINUS SIGN}"
DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
SHOWN = [name.replace("\N{RIGHT-TO-LEFT OVERRIDE}", "\N{REPLACEMENT CHARACTER}") for name in ERRORS]
BEST_FIRST = ["coral", "linear", *SHOWN[2:]]


def heads(page: "Page") -> list[str]:
    """The heads of the leaderboard that are shown, from the top."""
    rows = page.locator(".leaderboard tbody tr:visible th")
    return [text.strip() for text in rows.all_inner_texts()]


def test_a_column_is_sorted_up_down_and_back(open_page: OpenPage) -> None:
    page = open_page()
    assert heads(page) == BEST_FIRST
    column = page.locator(".leaderboard thead th").nth(1)
    button = column.locator("button")
    button.click()
    assert column.get_attribute("aria-sort") == "ascending"
    assert heads(page) == BEST_FIRST
    button.focus()
    page.keyboard.press("Enter")
    assert column.get_attribute("aria-sort") == "descending"
    assert heads(page) == BEST_FIRST[::-1]
    page.keyboard.press("Space")
    assert column.get_attribute("aria-sort") == "none"
    page.locator(".sort").first.click()
    by_name = heads(page)
    assert by_name.index("coral") < by_name.index("linear")
    assert by_name[0] not in {"coral", "linear"}, "signs come before letters"


def test_the_filter_keeps_rows_and_curves(open_page: OpenPage) -> None:
    page = open_page()
    page.locator(".filter").fill("LIN")
    assert heads(page) == ["linear"]
    assert page.locator(".shown").inner_text() == "1 of 7 heads"
    assert page.locator(".curve:visible:not(.reference)").count() == 1
    page.locator(".filter").fill("")
    assert len(heads(page)) == 7


def test_pointing_at_a_curve_shows_its_number(open_page: OpenPage) -> None:
    page = open_page()
    table = page.locator(".leaderboard tbody tr").first
    cell = table.locator("td").nth(1)
    wanted = cell.locator(".mean").inner_text() + cell.locator(".spread").inner_text()
    point = page.locator('.curve[data-row="0"] circle[data-column="1"]')
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    assert page.locator("#tip").inner_text() == f"coral {wanted}"
    assert page.locator(".readout").inner_text() == f"coral, 4-shot: {wanted}"
    assert page.locator('tr.lit[data-row="0"]').count() == 1
    page.mouse.move(2, 2)
    assert page.locator("#tip").is_hidden()


def test_arrow_keys_read_all_points(open_page: OpenPage) -> None:
    page = open_page()
    page.locator(".filter").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.locator(".plot:focus").count():
            break
    readout = page.locator(".readout")
    assert readout.inner_text().startswith("coral, 1-shot: 1.")
    page.keyboard.press("ArrowRight")
    assert readout.inner_text().startswith("coral, 4-shot: 0.")
    page.keyboard.press("ArrowUp")
    assert readout.inner_text().startswith("linear, 4-shot: 1.")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert readout.inner_text().startswith("coral, 1-shot: 1.")
    page.keyboard.press("Escape")
    assert readout.inner_text() == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_until_it_is_chosen(open_page: OpenPage, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    paper = "getComputedStyle(document.body).backgroundColor"
    first, button = page.evaluate(paper), page.locator("#theme")
    assert button.get_attribute("aria-pressed") == str(scheme == "dark").lower()
    button.click()
    assert page.evaluate(paper) != first
    page.reload()
    assert page.evaluate(paper) != first, "the choice is kept"
    page.locator("#theme").click()
    assert page.evaluate(paper) == first


def test_two_heads_are_compared_either_way_round(open_page: OpenPage, report: Report) -> None:
    pair = report.folders[0].boards[0].table.tests[0].pairs["coral", "linear"]
    page = open_page()
    page.locator("select[name=first]").select_option(label="coral")
    page.locator("select[name=second]").select_option(label="linear")
    said = f"coral is better than linear by {-pair.difference:.3f} years"
    assert said in page.locator("#compared").inner_text()
    cells = page.locator("#differences tbody td").all_inner_texts()
    assert cells[:3] == [
        f"{pair.first:.3f}",
        f"{pair.second:.3f}",
        f"{MINUS}{-pair.difference:.3f}",
    ]
    page.locator("select[name=first]").select_option(label="linear")
    page.locator("select[name=second]").select_option(label="coral")
    turned = page.locator("#differences tbody td").all_inner_texts()
    assert turned[:3] == [cells[1], cells[0], cells[2].replace(MINUS, "+")]
    assert turned[6:8] == cells[6:8], "p values have no direction"
    assert pair.over_images
    low, high = pair.over_images
    assert cells[5] == f"{low:+.3f} to {high:+.3f}".replace("-", MINUS)
    page.locator("select[name=second]").select_option("")
    assert page.locator("#differences tbody tr").count() == 6


def test_a_head_opens_with_its_errors_and_worst_images(open_page: OpenPage) -> None:
    page = open_page()
    page.locator(".leaderboard tbody a", has_text="coral").click()
    card = page.locator("details.card[open]")
    assert card.locator("summary .name").inner_text() == "coral"
    assert card.locator(".erring tbody th").all_inner_texts() == ["0", "50", "100"]
    assert card.locator(".worst li").count() == 6
    card.locator("select").select_option(index=1)
    assert "Means over 2 runs" in card.locator(".run-ids").inner_text()


def test_nothing_that_an_attacker_wrote_runs_or_is_asked_for(
    browser: "Browser", page_file: Path
) -> None:
    context = browser.new_context()
    page, asked, said = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    context.add_init_script("window.attacks = 0; window.attacked = () => { window.attacks += 1; }")
    page.goto(page_file.as_uri())
    for card in page.locator("details.card summary").all():
        card.click()
    for head in SHOWN:
        page.locator("select[name=first]").select_option(label=" ".join(head.split()))
    assert page.evaluate("window.attacks") == 0
    assert not said
    assert [one for one in asked if not one.startswith("data:")] == [page_file.as_uri()]
    assert page.locator("main img").count() == 0
    assert page.locator("main svg[onload]").count() == 0
    text = page.locator("main").inner_text()
    assert all(name in text for name in (*SHOWN, f"Faces {IMG}"))
    assert "49" not in page.locator(".leaderboard").inner_text(), "no template in a template"
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in page.content()
    assert HOSTILE[0] not in page.content(), "it stands there escaped"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: OpenPage, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(color_scheme=scheme)
    page.locator("details.card summary").first.click()
    found = axe.run(page)
    grave = [
        (one["id"], [node["html"] for node in one["nodes"][:3]])
        for one in found.response["violations"]
        if one["impact"] in {"serious", "critical"}
    ]
    assert not grave


def test_a_phone_does_not_scroll_sideways(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    for card in page.locator("details.card summary").all():
        card.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_small_images_are_shown(open_page: OpenPage, report: Report, tmp_path: Path) -> None:
    (folder,) = report.folders
    (board,) = folder.boards
    study = board.table.tests[0]
    assert isinstance(study, StudiedColumn)
    name = study.heads["coral"].worst[0].sample
    with_image = replace(folder, thumbnails={board.id: {name: DOT}})
    file = tmp_path / "images.html"
    file.write_text(render_page(replace(report, folders=[with_image])), encoding="utf-8")
    page = open_page(file.as_uri())
    page.locator(".leaderboard tbody a", has_text="coral").click()
    image = page.locator("details.card[open] .worst img").first
    image.scroll_into_view_if_needed()
    assert image.evaluate("async (one) => { await one.decode(); return one.naturalWidth; }") == 1


def test_a_browser_loads_it_anew_and_keeps_its_view(
    server: ThreadingHTTPServer, tmp_path: Path, open_page: OpenPage
) -> None:
    store = Store(tmp_path)
    write_run(store, "linear", 0, 1, 1.0)
    page, asked = open_page(f"http://127.0.0.1:{server.server_port}/"), set()
    page.on("request", lambda request: asked.add(request.url))
    page.locator(".filter").fill("co")
    page.locator(".sort").first.click()
    write_run(store, "coral", 0, 1, 2.0)
    row = page.locator(".leaderboard tbody tr:visible th", has_text="coral")
    row.wait_for(timeout=20_000)
    assert page.locator(".filter").input_value() == "co"
    assert page.locator(".leaderboard thead th").first.get_attribute("aria-sort") == "ascending"
    root = f"http://127.0.0.1:{server.server_port}/"
    assert {one for one in asked if not one.startswith("data:")} == {root, f"{root}state"}
