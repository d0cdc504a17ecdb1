"""Findings for people."""
