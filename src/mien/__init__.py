"""Read facial expressions from photographs, also when part of the face is hidden."""

__version__ = "0.1.0"
