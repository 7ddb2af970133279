"""Drawn faces: the built-in data set, with exact labels and landmarks and no person in it."""

from .face import Face
from .population import Population, draw_population
from .render import render

__all__ = ["Face", "Population", "draw_population", "render"]
