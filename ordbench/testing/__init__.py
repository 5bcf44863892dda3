"""Checks that every plug-in must pass, for the tests of plug-ins: `ordbench.testing.heads`."""
