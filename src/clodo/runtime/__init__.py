"""Everything that makes tokens: text models in this process and behind endpoints, and their files."""
