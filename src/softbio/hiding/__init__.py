"""The second half of the report: what hiding gender takes from classifiers, and what it costs.

From score files alone: load.py reads and judges them once; claims.py says which of the published
claims hold here. Tables, figures and the page are made of it elsewhere, `report/hiding/` last.
"""
