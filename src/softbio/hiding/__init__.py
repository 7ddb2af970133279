"""The second half of the report: what hiding gender takes from classifiers, and what it costs.

From score files alone: load.py reads and judges them once; claims.py says which of the published
claims hold here; write.py makes tables, figures and claims of it; page.py is what the report shows.
"""
