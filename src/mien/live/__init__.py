"""The webcam window: a scene decides what is shown next, a window shows it and hears keys."""
