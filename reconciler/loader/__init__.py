"""The dynamic loader, modelled. Pure: it is given bytes and names, and opens nothing."""
