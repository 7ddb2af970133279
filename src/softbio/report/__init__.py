"""From tables, figures and records to one offline HTML page with computed sentences."""
