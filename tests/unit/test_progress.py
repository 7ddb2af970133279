"""What a log says of work that goes on."""

import logging

from softbio.progress import told


def test_a_log_counts_from_what_was_done_before(caplog, monkeypatch):
    # on a terminal a bar says it
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    with caplog.at_level(logging.INFO):
        assert list(told(iter("abcd"), 20, "own", done=16)) == list("abcd")
    assert caplog.messages == ["own: 18 of 20 images", "own: 20 of 20 images"]
