"""Reading gender, the talk's first result: tables and figures as files, the page's section."""
