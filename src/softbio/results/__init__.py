"""The files of `results/`: predictions and scores, the contract between what reads images and what
judges the answers, and `records.py`, which reads all runs of a config. No model is used here."""
