"""Vectors of of-watchdog's http mode: 11 to 14, 16 and 19."""
