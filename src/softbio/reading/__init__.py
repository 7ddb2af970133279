"""Reading gender, the talk's first result: numbers of a trained network's predictions, with
intervals. Training and predictions use the same loop and files as those of ages."""
