"""The version of kgbuild."""

__version__ = "0.1.0"
