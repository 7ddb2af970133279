"""Evaluators of protected faces, and their output: scores, not decisions."""
