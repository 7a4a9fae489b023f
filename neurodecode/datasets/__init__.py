"""Readers of public layouts; each says where the data come from and how to obtain them."""

from neurodecode.datasets._catalogue import CATALOGUE, Dataset
from neurodecode.datasets._files import data_folder
from neurodecode.datasets.checking import check

__all__ = ["CATALOGUE", "Dataset", "check", "data_folder"]
