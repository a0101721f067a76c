"""Measures Fairlead beside what does the same work without it. Asserts nothing."""
