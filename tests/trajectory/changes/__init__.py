"""Tests of the files of a run as they were."""
