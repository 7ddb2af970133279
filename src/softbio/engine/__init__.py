"""The engine: one training loop for every method, backbone and label, and what carries it: recipe,
model, resume file, signals, device, provenance. `train.py` is the loop, `predict.py` its end."""
