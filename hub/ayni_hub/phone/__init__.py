"""The phone page: Home, a link and a site as plain HTML, for whoever has only a telephone at hand."""
