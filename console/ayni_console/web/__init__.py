"""The console in a browser: one console process for each page that is open, behind a door."""
