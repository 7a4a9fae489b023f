"""One script for each data set and question; they may import anything and are never imported."""
