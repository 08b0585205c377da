"""Grading somebody's code against the specs."""
