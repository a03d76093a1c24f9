"""Measurements of speed and of accuracy on real data; they print tables and assert nothing."""
