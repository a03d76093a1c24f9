"""Pictures on the page, in a real browser."""

import base64
import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from browsing import choose, face, grey, named, stand_in, violations
from mien import weights
from mien.cli._records import columns
from mien.expressions import EXPRESSIONS
from mien.recognizer import Recognizer

# What a clipboard or a hand that drops carries: one file.
FILES = """(data) => {
  function transfer(file, name) {
    const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], name, { type: "image/png" }));
    return carried;
  }
"""


def test_a_picture_shows_what_the_package_says_of_it(page: Any, portrait_path: Path) -> None:
    choose(page, portrait_path)
    (prediction,) = Recognizer()(portrait_path)
    assert page.inner_text(".face .name") == prediction.expression
    assert page.locator(".bars li").count() == len(EXPRESSIONS)
    assert page.inner_text(".facts").startswith("1 face")
    shown = page.evaluate(
        """() => {
          const [picture, box] = ['.view img', '.box'].map((s) =>
            document.querySelector(s).getBoundingClientRect());
          const scale = 512 / picture.width;
          return [box.left - picture.left, box.top - picture.top,
                  box.right - picture.left, box.bottom - picture.top].map((x) => x * scale);
        }"""
    )
    np.testing.assert_allclose(shown, prediction.face.box_xyxy, atol=2)
    assert violations(page) == []


def test_a_picture_without_a_face_and_one_that_is_none_say_so(page: Any) -> None:
    choose(page, named("grey.png", grey()), named("notes.png", b"no picture at all"))
    first, second = page.locator(".card").all()
    assert first.locator(".nobody").inner_text() == "No face found."
    assert first.locator(".tools").is_hidden()
    told = second.locator(".error").inner_text()
    assert "JPEG" in told and "Try again" not in told
    assert page.inner_text("#picture-count") == "1 picture, 1 file not read"
    assert violations(page) == []


def test_a_picture_that_the_browser_cannot_show_is_drawn_by_the_server(
    page: Any, portrait_path: Path
) -> None:
    stream = io.BytesIO()
    PIL.Image.open(portrait_path).save(stream, "TIFF")
    file = {"name": "portrait.tiff", "mimeType": "image/tiff", "buffer": stream.getvalue()}
    choose(page, file)
    assert page.evaluate("document.querySelector('.view img').naturalWidth") == 512
    assert page.locator(".box").is_visible()


@pytest.mark.parametrize(("event", "name"), [("paste", ""), ("drop", "dropped.png")])
def test_a_picture_can_be_pasted_or_dropped_anywhere(page: Any, event: str, name: str) -> None:
    stand_in(page, face("fear", 0.8))
    code = """
      const carried = transfer(data[0], data[2]);
      const about = { clipboardData: carried, dataTransfer: carried };
      const Made = data[1] === "paste" ? ClipboardEvent : DragEvent;
      const event = new Made(data[1], { ...about, bubbles: true, cancelable: true });
      document.querySelector("footer").dispatchEvent(event);
    }"""
    page.evaluate(FILES + code, [base64.b64encode(grey()).decode(), event, name])
    page.wait_for_selector(".face")
    assert page.inner_text(".card h3") == (name or "pasted-1.png")


def test_switches_put_answers_side_by_side(page: Any, portrait_path: Path) -> None:
    choose(page, portrait_path)
    for name in ("Mouth", "Mask"):
        page.get_by_role("checkbox", name=name).check()
    page.wait_for_function("() => document.querySelectorAll('.sides .face').length === 3")
    sides = page.locator(".sides > li")
    titles = sides.locator("h4")
    assert titles.all_inner_texts() == ["As it is", "Mouth hidden", "With a mask"]
    assert "mouth hidden" in sides.nth(1).locator(".note").all_inner_texts()
    page.get_by_role("checkbox", name="Mouth").uncheck()
    assert titles.all_inner_texts() == ["As it is", "With a mask"]


def test_answers_are_downloaded_as_a_table(page: Any, tmp_path: Path) -> None:
    stand_in(page, face("contempt", 0.65, hidden=["eyes", "mouth"]))
    choose(page, named('gr"ey, 1.png', grey()))
    page.unroute("**/v1/predict")
    choose(page, named("notes.png", b"nothing"))
    with page.expect_download() as download:
        page.click("#picture-csv")
    download.value.save_as(tmp_path / "mien.csv")
    with (tmp_path / "mien.csv").open(newline="") as stream:
        rows = {row["source"]: row for row in csv.DictReader(stream)}
    found = rows['gr"ey, 1.png']
    assert [float(found[f"box_{side}"]) for side in ("x0", "y0", "x1", "y1")] == [110, 60, 210, 190]
    assert found["expression"] == "contempt" and found["probability_contempt"] == "0.65"
    assert found["hidden"] == "eyes mouth" and found["certain"] == found["hidden_known"] == "true"
    assert rows["notes.png"]["error"]
    assert list(found) == list(columns())


def test_a_busy_server_is_asked_again(page: Any) -> None:
    stand_in(page, face("anger", 0.7))
    refusals = iter([429, 503])

    def busy(route: Any) -> None:
        status = next(refusals, None)
        error = {"code": "busy", "message": "too many", "hint": "wait"}
        route.fulfill(status=status, json={"error": error}) if status else route.fallback()

    page.route("**/v1/predict", busy)
    choose(page, named("grey.png", grey()))
    assert page.locator(".face").count() == 1


def test_a_server_that_is_gone_is_named_and_can_be_tried_again(page: Any) -> None:
    page.route("**/v1/predict", lambda route: route.abort())
    choose(page, named("grey.png", grey()))
    assert "mien serve" in page.inner_text(".card .error")
    stand_in(page, face("surprise", 0.7))
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector(".face")
    assert page.locator(".card .error").is_hidden()


def lock(page: Any) -> None:
    """Ask for the key "sesame" in the server's place."""

    def locked(route: Any) -> None:
        if route.request.headers.get("x-api-key") == "sesame":
            return route.fallback()
        error = {"code": "unauthorized", "message": "this server asks for a key", "hint": ""}
        return route.fulfill(status=401, json={"error": error})

    page.route("**/v1/predict", locked)


def test_a_key_is_asked_for_and_sent(page: Any) -> None:
    stand_in(page, face("neutral", 0.7))
    lock(page)
    page.set_input_files("#files", named("grey.png", grey()))
    page.wait_for_selector("#key-dialog[open]")
    assert page.locator("#key-wrong").is_hidden()
    page.fill("#key", "abracadabra")
    page.keyboard.press("Enter")
    page.wait_for_selector("#key-wrong:not([hidden])")
    assert "The key is wrong" in page.inner_text("#key-wrong")
    page.fill("#key", "sesame")
    assert violations(page) == []
    page.keyboard.press("Enter")
    page.wait_for_selector(".face")


def test_a_key_that_no_header_can_carry_is_named_before_it_is_sent(page: Any) -> None:
    stand_in(page, face("neutral", 0.7))
    lock(page)
    page.set_input_files("#files", named("grey.png", grey()))
    page.wait_for_selector("#key-dialog[open]")
    page.fill("#key", "sésame")
    page.keyboard.press("Enter")
    page.wait_for_selector("#key-wrong:not([hidden])")
    assert "cannot have “é”" in page.inner_text("#key-wrong")
    assert page.input_value("#key") == "sésame"
    page.fill("#key", " sesame ")
    page.keyboard.press("Enter")
    page.wait_for_selector(".face")


def test_a_files_name_is_text(page: Any) -> None:
    stand_in(page)
    name = "<img src=x onerror=document.title=1>.png"
    choose(page, named(name, grey()))
    assert page.inner_text(".card h3") == name
    assert page.title() == "mien"


def test_tabs_follow_the_keyboard(page: Any) -> None:
    page.focus("#tab-pictures")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-webcam"
    assert page.locator("#webcam").is_visible() and page.locator("#pictures").is_hidden()
    assert "Nothing leaves this computer" in page.inner_text("header")
    assert violations(page) == []
    page.keyboard.press("End")
    assert page.locator("#video").is_visible()
    assert violations(page) == []


def test_the_page_is_small_and_names_no_other_host() -> None:
    folder = weights.FOLDER.parent / "serve" / "page"
    files = [path for path in folder.iterdir() if path.suffix in (".html", ".css", ".js")]
    assert len(files) > 5
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) < 300, path.name
        assert "://" not in text, path.name
