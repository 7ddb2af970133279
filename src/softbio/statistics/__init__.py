"""How well numbers are known: intervals and tests over images, subjects and seeds."""
