import io
from pathlib import Path

import numpy as np
import onnxruntime
import PIL.Image
import pytest

import models
from mien import images
from mien.errors import InputError, ModelError, UsageError
from mien.expressions import EXPRESSIONS, EXPRESSIONS_7
from mien.readings import certain_answers
from mien.recognizer import ExpressionReader, Recognizer
from mien.session import Output, open_model


@pytest.fixture(scope="module")
def recognizer(expression_path, landmarks_path):
    return Recognizer(expression_path, landmarks=landmarks_path, threads=1)


@pytest.fixture(scope="module")
def portrait(portrait_path):
    return images.read(portrait_path)


@pytest.fixture
def faces(rng):
    return rng.integers(0, 256, (7, 48, 48), dtype=np.uint8)


def logits_of(path, output, faces):
    session = onnxruntime.InferenceSession(path)
    levels = faces.astype(np.float64)[:, None]
    means, deviations = levels.mean((2, 3), keepdims=True), levels.std((2, 3), keepdims=True)
    inputs = ((levels - means) / deviations).astype(np.float32)
    return session.run([output], {"images": inputs})[0].astype(np.float64)


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def with_outputs(path, change):
    fields = models.expression_metadata()
    change(fields["outputs"])
    return models.expression_model(path, fields=fields)


def shares(predictions):
    return [list(prediction.probabilities.values()) for prediction in predictions]


def test_readings_are_the_models_probabilities(expression_path, faces):
    reader = ExpressionReader(expression_path, threads=1)
    readings = reader.read(faces)
    assert reader.labels == EXPRESSIONS
    expected = softmax(logits_of(expression_path, "ferplus", faces))
    assert np.allclose(readings.probabilities, expected, atol=1e-5)
    assert readings.probabilities.dtype == np.float64


def test_the_other_labels_are_another_output(expression_path, faces):
    reader = ExpressionReader(expression_path, labels="fer2013", threads=1)
    assert reader.labels == EXPRESSIONS_7
    expected = softmax(logits_of(expression_path, "fer2013", faces))
    assert np.allclose(reader.read(faces).probabilities, expected, atol=1e-5)


def test_temperature_and_threshold_decide_what_is_certain(tmp_path, faces):
    def change(outputs):
        outputs[0] |= {"temperature": 2.5, "thresholds": {"certain": 0.3}}

    path = with_outputs(tmp_path / "mild.onnx", change)
    readings = ExpressionReader(path, threads=1).read(faces)
    expected = softmax(logits_of(path, "ferplus", faces) / 2.5)
    assert np.allclose(readings.probabilities, expected, atol=1e-5)
    assert np.array_equal(readings.certain, expected.max(axis=1) >= 0.3)


def test_with_a_region_hidden_its_own_threshold_decides_what_is_certain(tmp_path, faces):
    def change(outputs):
        outputs[0]["thresholds"] = {"certain": 0.2, "certain_eyes": 0.6, "certain_mouth": 0.4}

    path = with_outputs(tmp_path / "hidden.onnx", change)
    readings = ExpressionReader(path, threads=1).read(faces)
    own = {(False, False): 0.2, (True, False): 0.6, (False, True): 0.4, (True, True): 0.6}
    needed = [own[eyes, mouth] for eyes, mouth in readings.hidden.tolist()]
    assert len(set(needed)) > 2
    assert np.array_equal(readings.certain, readings.probabilities.max(axis=1) >= needed)


@pytest.mark.parametrize("hidden", [[False, False], [True, False], [True, True]])
def test_a_file_of_one_threshold_is_read_as_before(hidden):
    output = Output("ferplus", "expression", ("fear", "anger"), thresholds={"certain": 0.7})
    probabilities = np.array([[0.7, 0.3], [0.31, 0.69]])
    certain = certain_answers(output, probabilities, ("eyes", "mouth"), np.array([hidden] * 2))
    assert certain.tolist() == [True, False]


def test_none_is_certain_from_one_on_however_sure_the_network_is():
    output = Output("ferplus", "expression", ("fear", "anger"), thresholds={"certain": 1.0})
    sure = softmax(np.array([[60.0, 0.0]]))
    assert sure.max() == 1
    assert not certain_answers(output, sure, (), np.zeros((1, 0), bool)).any()


def test_the_shipped_model_asks_for_more_where_a_part_is_hidden(shipped_models):
    metadata = open_model("expression", kind="expression").metadata
    by_votes, own = (metadata.output(name).thresholds for name in ("ferplus", "fer2013"))
    assert by_votes["certain"] < by_votes["certain_eyes"] < by_votes["certain_mouth"] < 1
    assert own.keys() == by_votes.keys()


def test_regions_are_hidden_from_their_own_threshold(tmp_path, faces):
    def change(outputs):
        outputs[2] |= {"temperature": 0.5, "thresholds": {"eyes": 0.9, "mouth": 0.1}}

    path = with_outputs(tmp_path / "regions.onnx", change)
    reader = ExpressionReader(path, threads=1)
    readings = reader.read(faces)
    expected = 1 / (1 + np.exp(-logits_of(path, "hidden", faces) / 0.5))
    assert reader.regions == ("eyes", "mouth")
    assert np.allclose(readings.hidden_probability, expected, atol=1e-5)
    assert np.array_equal(readings.hidden, expected >= [0.9, 0.1])


def test_of_a_model_without_regions_it_is_not_known_what_is_hidden_and_none_is_certain(
    tmp_path, faces
):
    def change(outputs):
        del outputs[1:]
        outputs[0]["thresholds"] = {}

    path = with_outputs(tmp_path / "plain.onnx", change)
    (prediction,) = Recognizer(path, detector="whole", threads=1)(faces[0])
    assert prediction.hidden is None
    assert not prediction.certain


def with_prior(tmp_path, prior):
    fields = models.expression_metadata()
    fields["outputs"][0]["prior"] = prior
    return models.expression_model(tmp_path / "prior.onnx", fields=fields)


def test_balanced_answers_weigh_each_expression_by_how_rare_it_was(tmp_path, faces):
    prior = [0.5, 0.2, 0.1, 0.08, 0.06, 0.03, 0.02, 0.01]
    path = with_prior(tmp_path, prior)
    usual = ExpressionReader(path, threads=1).read(faces)
    balanced = ExpressionReader(path, balanced=True, threads=1).read(faces)
    weighed = usual.probabilities / np.array(prior)
    expected = weighed / weighed.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(balanced.probabilities, expected, rtol=1e-5)
    same = usual.probabilities.argmax(1) == balanced.probabilities.argmax(1)
    np.testing.assert_array_equal(balanced.certain, usual.certain & same)


def test_balanced_answers_need_a_model_that_tells_its_prior(expression_path):
    with pytest.raises(ModelError, match="share of each expression in training"):
        ExpressionReader(expression_path, balanced=True, threads=1)


@pytest.mark.parametrize("prior", [[0.5, 0.5], [0.0, *[1 / 7] * 7]])
def test_a_prior_that_does_not_fit_the_labels_is_refused(tmp_path, prior):
    with pytest.raises(ModelError, match="prior must be a share"):
        ExpressionReader(with_prior(tmp_path, prior), threads=1)


def test_mirroring_averages_a_face_with_its_mirror_image(expression_path, faces):
    found = ExpressionReader(expression_path, mirror=True, threads=1).read(faces)
    both = [logits_of(expression_path, "ferplus", f) for f in (faces, faces[:, :, ::-1])]
    assert np.allclose(found.probabilities, softmax(sum(both) / 2), atol=1e-5)


@pytest.mark.parametrize("said", [True, False])
def test_the_mirror_image_counts_where_the_model_says_so(tmp_path, faces, said):
    fields = models.expression_metadata() | {"extra": {"mirror": said}}
    path = models.expression_model(tmp_path / "model.onnx", fields=fields)
    reader = ExpressionReader(path, threads=1)
    asked = ExpressionReader(path, mirror=said, threads=1)
    assert reader.mirror is said
    assert np.array_equal(reader.read(faces).probabilities, asked.read(faces).probabilities)
    assert ExpressionReader(path, mirror=not said, threads=1).mirror is not said


@pytest.mark.parametrize("threads", [1, 3])
def test_more_faces_than_a_batch_are_read_like_each_alone(expression_path, rng, threads):
    faces = rng.integers(0, 256, (300, 48, 48), dtype=np.uint8)
    reader = ExpressionReader(expression_path, threads=threads)
    together = reader.read(faces).probabilities
    for row in (0, 127, 128, 299):
        alone = reader.read(faces[row : row + 1]).probabilities[0]
        assert np.allclose(alone, together[row], atol=1e-5)


def test_no_faces_give_empty_readings(expression_path):
    readings = ExpressionReader(expression_path).read(np.empty((0, 48, 48), np.uint8))
    assert readings.probabilities.shape == (0, 8)
    assert readings.hidden.shape == (0, 2)
    assert readings.certain.shape == (0,)


def test_unknown_labels_list_the_good_ones(expression_path):
    with pytest.raises(
        UsageError, match=r"'ferplu'; did you mean 'ferplus'\? \(fer2013, ferplus\)"
    ):
        ExpressionReader(expression_path, labels="ferplu")


def test_a_model_with_a_wrong_preparation_is_refused(tmp_path):
    fields = models.expression_metadata() | {"preparation": {"size_hw": [48, 48], "colour": "red"}}
    path = models.expression_model(tmp_path / "red.onnx", fields=fields)
    with pytest.raises(ModelError, match="unknown colour 'red'"):
        ExpressionReader(path)


def test_an_unknown_provider_is_refused(expression_path):
    with pytest.raises(ModelError, match="abacus"):
        ExpressionReader(expression_path, provider="abacus")


def test_the_face_of_a_portrait_is_read(recognizer, portrait_path):
    (prediction,) = recognizer(portrait_path)
    assert np.allclose(prediction.face.box_xyxy, (181, 58, 269, 177), atol=8)
    assert tuple(prediction.probabilities) == EXPRESSIONS
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert prediction.probability == max(prediction.probabilities.values())
    assert prediction.face.points_xy.shape == (68, 2)


def test_paths_bytes_arrays_and_pillow_images_go_in(recognizer, portrait_path, portrait):
    picture = PIL.Image.open(portrait_path)
    answers = [
        shares(recognizer(source))
        for source in (portrait_path, str(portrait_path), portrait_path.read_bytes(), picture)
    ]
    assert all(answer == shares(recognizer(portrait)) for answer in answers)


def test_no_face_is_an_empty_list(recognizer):
    assert recognizer(np.full((480, 640, 3), 128, np.uint8)) == []


def test_a_batch_changes_nothing(recognizer, portrait):
    empty = np.zeros((64, 64, 3), np.uint8)
    crowd = np.concatenate([portrait, images.resize(portrait, (512, 400))], axis=1)
    pictures = [portrait, empty, crowd, portrait[:, ::-1], empty, portrait[:400]]
    alone = [recognizer(picture) for picture in pictures]
    for size in (1, 2, 32):
        many = list(recognizer.many(pictures, batch_size=size))
        assert [len(found) for found in many] == [1, 0, 2, 1, 0, 1]
        for one, other in zip(alone, many, strict=True):
            assert np.allclose(np.array(shares(one)), np.array(shares(other)), atol=1e-5)


def test_many_reads_as_it_goes(recognizer, portrait):
    taken = []

    def pictures():
        for number in range(5):
            taken.append(number)
            yield portrait

    next(recognizer.many(pictures(), batch_size=2))
    assert taken == [0, 1]


def test_a_batch_of_nothing_is_refused(recognizer):
    with pytest.raises(UsageError, match="batch_size"):
        next(recognizer.many([], batch_size=0))


@pytest.mark.parametrize("one", ["photo.jpg", b"photo", Path("photo.jpg")])
def test_one_path_is_not_taken_for_many(recognizer, one):
    with pytest.raises(UsageError, match="takes several images, got one"):
        next(recognizer.many(one))


def test_a_large_jpeg_is_answered_in_its_own_pixels(recognizer, portrait):
    large = PIL.Image.fromarray(portrait).resize((4096, 4096))
    stream = io.BytesIO()
    large.save(stream, "JPEG")
    (prediction,) = recognizer(stream.getvalue())
    (small,) = recognizer(portrait)
    assert np.allclose(np.array(prediction.face.box_xyxy) / 8, small.face.box_xyxy, atol=12)
    assert np.allclose(prediction.face.points_xy / 8, small.face.points_xy, atol=8)


def test_the_crop_is_the_one_the_model_was_trained_on(recognizer, expression_path, portrait):
    (prediction,) = recognizer(portrait)
    reader = ExpressionReader(expression_path, threads=1)
    crop = reader.preparation.cut(images.to_grey(portrait), prediction.face.points_xy)
    expected = reader.read(crop[None]).probabilities[0]
    assert np.allclose(shares([prediction]), expected, atol=1e-6)


def test_what_is_no_face_for_the_landmark_model_is_left_out(tmp_path, expression_path, portrait):
    fields = models.landmark_metadata()
    fields["outputs"][1]["thresholds"] = {"face": 0.99}
    strict = models.landmark_model(tmp_path / "strict.onnx", fields=fields)
    assert Recognizer(expression_path, landmarks=strict, threads=1)(portrait) == []


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3), (1, 1), (100, 60, 3)])
def test_a_whole_image_is_one_face_without_points(expression_path, shape, rng):
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    (prediction,) = Recognizer(expression_path, detector="whole", threads=1)(image)
    assert prediction.face.box_xyxy == (-0.5, -0.5, shape[1] - 0.5, shape[0] - 0.5)
    assert prediction.face.points_xy is None


def test_a_whole_face_of_the_models_size_is_read_as_it_is(expression_path, faces):
    (prediction,) = Recognizer(expression_path, detector="whole", threads=1)(faces[0])
    expected = softmax(logits_of(expression_path, "ferplus", faces[:1]))[0]
    assert np.allclose(shares([prediction]), expected, atol=1e-5)


def test_points_of_a_whole_image_come_when_asked(expression_path, landmarks_path, faces):
    asked = Recognizer(
        expression_path, detector="whole", landmarks=landmarks_path, points=True, threads=1
    )
    (prediction,) = asked(faces[0])
    assert prediction.face.points_xy.shape == (68, 2)
    assert prediction.face.faceness > 0.9


def test_the_size_of_the_smallest_face_does_not_matter_for_whole_images(expression_path, faces):
    assert Recognizer(expression_path, detector="whole", min_face=0, threads=1)(faces[0])


def test_a_smallest_face_of_no_size_is_refused(expression_path):
    with pytest.raises(UsageError, match="min_face must be at least 10 pixels, got 0"):
        Recognizer(expression_path, min_face=0)


def test_an_unreadable_image_is_named(recognizer, tmp_path):
    with pytest.raises(InputError, match=r"gone\.jpg"):
        recognizer(tmp_path / "gone.jpg")


def test_faces_at_the_boxes_of_the_detector_are_read_as_it_found_them(recognizer, portrait):
    (found,) = recognizer(portrait)
    again, other = recognizer.at(portrait, [found.face.box_xyxy, (100, 300, 200, 420)])
    assert again.to_dict(points=True) | {"score": 0} == found.to_dict(points=True) | {"score": 0}
    assert (again.face.score, other.face.box_xyxy) == (1.0, (100, 300, 200, 420))
    assert other.face.points_xy is not None
    assert recognizer.at(portrait, np.empty((0, 4))) == []


@pytest.mark.parametrize(
    ("boxes", "kind", "said"),
    [
        ((1, 2, 3, 4), UsageError, r"shape \(N, 4\)"),
        ([(5, 5, 5, 9)], UsageError, "left < right"),
        ([(600, 5, 700, 90)], InputError, "600, 5, 700, 90 lies outside the image of 512 x 512"),
    ],
)
def test_boxes_that_are_none_are_refused(recognizer, portrait, boxes, kind, said):
    with pytest.raises(kind, match=said):
        recognizer.at(portrait, boxes)


def test_boxes_are_none_of_images_that_each_are_one_face(expression_path, portrait):
    with pytest.raises(UsageError, match="leave out 'whole'"):
        Recognizer(expression_path, detector="whole").at(portrait, [(0, 0, 9, 9)])
