"""Faces in: sources, archives, packed arrays, splits, augmentation."""
