"""Reading gender, the first result of the talk: tables and figures as files, the page's section."""
