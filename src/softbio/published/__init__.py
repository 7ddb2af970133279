"""What others published, as data: printed numbers, and the authors' own predictions."""
