import numpy as np

from mien.report.faces import SIDE, answer_gallery, face_map


def test_a_part_is_red_where_hiding_it_costs_and_blue_where_it_gains() -> None:
    hidden = {name: np.zeros((4, 4), bool) for name in ("top", "all", "left")}
    hidden["top"][0], hidden["all"][:], hidden["left"][3, 0] = True, True, True
    face = np.full((4, 4), 128, np.uint8)
    drawn = face_map(face, hidden, {"top": 0.2, "all": 0.0, "left": -0.2}, 0.2)
    assert drawn.shape == (SIDE, SIDE, 3) and drawn.dtype == np.uint8
    red, _, blue = drawn[0, 0].astype(int)
    assert red > blue + 50
    red, _, blue = drawn[-1, 0].astype(int)
    assert blue > red + 50
    np.testing.assert_array_equal(drawn[SIDE // 2, SIDE // 2], 128)


def test_answers_are_shown_with_the_truth_where_they_are_wrong() -> None:
    faces = np.zeros((2, 4, 4), np.uint8)
    text = answer_gallery(faces, ["fear", "anger"], ["fear", "fear"], ["90 %", "<b>"])
    assert "<em>right</em>" in text and "<em>is anger</em>" in text and "&lt;b&gt;" in text
    assert answer_gallery(faces[:0], [], []) == ""


def test_a_coloured_face_keeps_its_shape() -> None:
    wide = face_map(np.zeros((4, 8), np.uint8), {}, {}, 1)
    assert wide.shape == (SIDE // 2, SIDE, 3)
