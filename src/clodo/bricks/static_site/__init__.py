"""Pages from a folder, beside the service: redirects, headers, and a page for what is not there."""
