"""Third-party gender classifiers and face matchers, none trained here, and the nets that find and
mark a face; one file an architecture, one interface (`interface.py`), one registry.

An architecture is a module with `load(files, spec) -> network`: files by their role, the entry of
the registry; the network takes what the entry's crop and input say, float32 (N, 3, size, size), and
gives P(male), float32 (N,), or embeddings, float32 (N, D).
"""
