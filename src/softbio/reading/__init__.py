"""Reading gender: what a trained network's predictions come to, with intervals; the talk's first
result. Training and predictions are those of ages, through the same loop and files."""
