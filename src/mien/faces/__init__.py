"""Find faces in images, and the 68 points of each."""
