"""Why a request gets no answer: a code, the status it is sent with, and what to do about it."""

from typing import Any, NamedTuple

from mien import images
from mien.errors import InputError, MienError


class Kind(NamedTuple):
    """The status of a code, and the hint where none fits better."""

    status: int
    hint: str


KINDS: dict[str, Kind] = {
    "bad_request": Kind(400, "check how the request was put together; /openapi.json describes it"),
    "unauthorized": Kind(401, "send the key as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'"),
    "not_found": Kind(404, "/openapi.json lists what there is"),
    "not_allowed": Kind(405, "use a method that the header Allow names"),
    "too_large": Kind(413, "send fewer or smaller images"),
    "too_many_pixels": Kind(413, "make the image smaller"),
    "unsupported_type": Kind(
        415,
        "send multipart/form-data with files in the field 'images', or one image as the body with"
        " its own Content-Type, as in curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg'",
    ),
    "not_an_image": Kind(415, "convert it to one of these, or send another"),
    "broken_image": Kind(422, "the file was cut short or changed on its way; send it again"),
    "too_many_images": Kind(422, "send them in several requests"),
    "too_many_faces": Kind(422, "send parts of the picture"),
    "invalid": Kind(422, "/openapi.json says what is taken"),
    "busy": Kind(429, "try again after the seconds that the header Retry-After names"),
    "internal": Kind(500, "the log of the server says more"),
    "timeout": Kind(503, "send fewer or smaller images, or try again later"),
    "stopping": Kind(503, "try again when the server has started again"),
}
BY_STATUS = {400: "bad_request", 404: "not_found", 405: "not_allowed", 413: "too_large"}
RETRY_AFTER_S = 1


class Problem(MienError):
    """A request, or one of its images, that is refused."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = KINDS[code].status
        self.hint = KINDS[code].hint if hint is None else hint

    @property
    def headers(self) -> dict[str, str]:
        """What goes with the answer."""
        if self.code == "busy":
            return {"Retry-After": str(RETRY_AFTER_S)}
        return {"WWW-Authenticate": "Bearer"} if self.code == "unauthorized" else {}

    def to_dict(self, name: str = "the image") -> dict[str, Any]:
        """Give the body of the answer, or what is said of the image of that name."""
        message = str(self).replace("the given bytes", name)
        return {"error": {"code": self.code, "message": message, "hint": self.hint}}


def unreadable(error: InputError, code: str) -> Problem:
    """Say what is wrong with an image: that it is too large, or what the code says."""
    too_large = isinstance(error, images.TooManyPixelsError)
    return Problem("too_many_pixels" if too_large else code, str(error))
