"""What stands in the files of `results/`: predictions and scores, the contract between what looks at
images and what judges it, and `records.py`, which reads all runs of a config. No model in here."""
