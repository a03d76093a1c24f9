"""Faces on the page, in a real browser: boxes, tags, and the copy with both drawn in."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from browsing import OpenPage, choose, face, grey, named, stand_in, violations
from mien import images

# Tells whether the mouse is on a box, and whether its border has the colour of its expression.
COLOURS = """(box) => {
  const probe = document.createElement("i");
  probe.style.color = box.style.getPropertyValue("--c");
  document.body.append(probe);
  const [border, colour] = [getComputedStyle(box).borderTopColor, getComputedStyle(probe).color];
  probe.remove();
  return [box.matches(":hover"), border === colour];
}"""
# Gives where texts begin and end in an annotated copy, and where what is painted of bars does.
DRAWN = """async (face) => {
  const { annotated } = await import("/drawing.js");
  const [texts, bars] = [[], []];
  const { fillText, roundRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    const { width } = this.measureText(text);
    const left = this.textAlign === "right" ? x - width : x;
    texts.push([text, left, left + width]);
  };
  CanvasRenderingContext2D.prototype.roundRect = function (x, y, width, height, radius) {
    if (!radius) bars.push([x, x + width]);
  };
  await annotated(document.createElement("canvas"), [face], { width: 1280, height: 720 });
  Object.assign(CanvasRenderingContext2D.prototype, { fillText, roundRect });
  return [texts, bars];
}"""


def test_several_faces_are_numbered_and_one_is_picked(page: Any) -> None:
    first = face("happiness", 0.9, box_xyxy=[10, 60, 90, 160])
    doubted = {"certain": False, "hidden": ["mouth"]}
    stand_in(page, first, face("sadness", 0.4, box_xyxy=[60, 70, 130, 150], **doubted))
    choose(page, named("two.png", grey()))
    assert page.locator(".number").all_inner_texts() == ["Face 1", "Face 2"]
    assert page.locator(".note").all_inner_texts() == ["not certain", "mouth hidden"]
    second = page.locator(".box").nth(1)
    assert "doubt" in second.get_attribute("class")
    second.click()
    assert second.get_attribute("aria-pressed") == "true"
    assert page.inner_text(".card legend") == "Hide and compare face 2"
    assert second.evaluate(COLOURS) == [True, True]
    above, below = (tag.bounding_box() for tag in page.locator(".tag").all())
    assert below["y"] >= above["y"] + above["height"]


def test_what_is_not_known_to_be_hidden_is_said(page: Any) -> None:
    stand_in(page, face("happiness", 0.9, hidden=None))
    choose(page, named("one.png", grey()))
    assert page.locator(".note").all_inner_texts() == ["hidden: not known"]


def test_tags_that_would_cover_each_other_are_numbers_alone(open_page: OpenPage) -> None:
    page = open_page(width=360, height=740)
    boxes = [[10 + 100 * n, 20, 50 + 100 * n, 70] for n in range(3)]
    stand_in(page, *(face("happiness", 0.9, box_xyxy=box) for box in boxes))
    choose(page, named("a.png", grey()))
    assert page.locator(".tag").all_inner_texts() == ["1", "2", "3"]
    places = [tag.bounding_box() for tag in page.locator(".tag").all()]
    assert all(a["x"] + a["width"] < b["x"] for a, b in pairwise(places))


def test_tags_are_laid_anew_where_the_window_becomes_narrow(page: Any) -> None:
    boxes = ([10, 60, 50, 110], [140, 60, 180, 110])
    stand_in(page, *(face("happiness", 0.9, box_xyxy=box) for box in boxes))
    choose(page, named("a.png", grey()))
    assert page.locator(".tag.under").count() == 0
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_selector(".tag.under")
    above, below = (tag.bounding_box() for tag in page.locator(".tag").all())
    assert below["y"] >= above["y"] + above["height"]


def test_an_annotated_copy_is_enlarged_for_the_writing(page: Any, tmp_path: Path) -> None:
    stand_in(page, face("disgust", 0.7))
    choose(page, named("grey.png", grey()))
    with page.expect_download() as download:
        page.click(".card .png")
    assert download.value.suggested_filename == "grey-mien.png"
    download.value.save_as(tmp_path / "copy.png")
    copy = images.read(tmp_path / "copy.png")
    assert copy.shape == (480, 640, 3)
    assert (copy[10, 10] == (120, 130, 140)).all() and (copy != (120, 130, 140)).any()


def test_bars_of_an_annotated_copy_leave_their_names_and_shares_free(page: Any) -> None:
    texts, bars = page.evaluate(DRAWN, face("happiness", 0.999))
    shares = [left for text, left, _ in texts if text in (">99%", "<1%")]
    names = [right for text, _, right in texts if text in face("fear", 1)["probabilities"]]
    rails = bars[:-1]  # the last is the stripe of the label
    assert (len(shares), len(names), len(rails)) == (8, 8, 16)
    assert max(names) < min(left for left, _ in rails)
    assert max(right for _, right in rails) < min(shares)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone_shows_all_without_scrolling_sideways(open_page: OpenPage, scheme: str) -> None:
    page = open_page(width=360, height=740, scheme=scheme)
    stand_in(page, face("happiness", 0.9))
    choose(page, named("a-rather-long-name-" * 4 + ".png", grey()))
    page.get_by_role("checkbox", name="Eyes").check()
    page.wait_for_function("() => document.querySelectorAll('.sides .face').length === 2")
    assert "another answer" in page.locator(".sides .note").all_inner_texts()
    name, remove = (page.locator(part).bounding_box() for part in (".head h3", ".remove"))
    assert abs(name["y"] + name["height"] / 2 - remove["y"] - remove["height"] / 2) < 10
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert violations(page) == []
