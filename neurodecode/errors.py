"""Errors that a caller may want to catch by kind; all else is ``ValueError`` or ``TypeError``."""

from __future__ import annotations


class LeakageError(ValueError):
    """The same stimulus, run, session or person stands on both sides of a split."""


class CorruptFileError(ValueError):
    """A file is truncated, altered, unfinished or not of the kind it should be."""


class UnsafeFileError(CorruptFileError):
    """A file asks for more than plain data, such as a pickle that would run code."""


class MissingWeightsError(FileNotFoundError):
    """A pre-trained model was asked for and its weights are not on this machine."""


class MissingDependencyError(ImportError):
    """An optional dependency is absent; the message holds the line that installs it."""
