"""Data sets: faces as arrays, the readers that make them, and what is derived from them."""
