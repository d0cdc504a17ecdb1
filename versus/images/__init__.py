"""A folder of images becomes labelled parts."""
