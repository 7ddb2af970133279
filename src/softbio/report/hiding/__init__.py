"""Hiding gender, the report's second half: tables, figures and claims as files, the page's
section."""
