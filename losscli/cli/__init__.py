"""The command line: parse, call, render. One module a command, loaded when it is called."""

from losscli.cli.main import main

__all__ = ["main"]
