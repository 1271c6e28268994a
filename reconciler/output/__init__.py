"""A report as text. One file, one format; each is a function of the report alone."""
