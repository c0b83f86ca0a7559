"""Content: slugs, drafts and publishing, Markdown."""
