"""Tables, figures and records in, one offline HTML page out; the sentences are computed."""
