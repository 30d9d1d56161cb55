"""Passes over an image or a list: random deviates, sums, reading numbers."""
