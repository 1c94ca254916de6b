"""The stages of the workflow that need no model, as functions from files to files.

A script of `scripts/` parses arguments and calls one of them; quick mode calls the same ones in one process. Each
writes its outputs, a run record next to the first of them, and one line on stdout.
"""
