"""The report's second half: tables, figures and claims of it as files, and the page's section."""
