"""Broken backends: each has one fault that the clauses it names have to catch.

A mutant is a subclass of one of our components with one method gone wrong, on the backend that
the component is of; or a whole backend with a recipe gone wrong.
"""
