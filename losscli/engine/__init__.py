"""Aligned columns → numbers: blocks, sums and reductions."""
