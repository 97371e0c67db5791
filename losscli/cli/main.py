"""The program: its commands, and what becomes of errors."""

import contextlib
import errno
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from losscli import __version__
from losscli.cli.messages import say
from losscli.errors import ExitCode, LosscliError, Terminated

COMMANDS = {
    "compute": "Compute a loss on predictions and targets in files.",
    "check": "Check the inputs of a loss: every value, without computing anything.",
    "list": "List the losses of the catalogue.",
    "info": "Explain a loss: definition, inputs, parameters, sources, an example.",
    "completion": "Print the completion script of a shell.",
}
EXIT_STATUS = {
    ExitCode.OK: "done",
    ExitCode.USAGE: "usage",
    ExitCode.DATA: "the data is wrong",
    ExitCode.FILE: "a file cannot be read or written",
    ExitCode.INTERNAL: "a bug",
    ExitCode.HUNG_UP: "the terminal was closed",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.PIPE: "the reader of the pipe left",
    ExitCode.TERMINATED: "terminated",
}
EPILOG = f"Exit codes: {', '.join(f'{int(code)} {text}' for code, text in EXIT_STATUS.items())}."

#: what goes wrong when standard output is written, whose errors have no name of a file
_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


class PipeLeft(BaseException):
    """The reader of standard output has left."""


@contextlib.contextmanager
def _telling_of_pipes() -> Iterator[None]:
    """Click and rich would make a plain exit code 1 of a pipe that was left."""
    try:
        yield
    except BrokenPipeError:
        raise PipeLeft from None


class Program(click.Group):
    """The commands, each imported when it is called."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments, and print help where it is asked for."""
        with _telling_of_pipes():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _telling_of_pipes():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"losscli.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with their summaries, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="losscli")
def program() -> None:
    """Compute any loss function of machine learning on predictions saved in files.

    \b
      losscli compute mse --pred p.csv --target t.csv
      losscli compute cross-entropy --data scores.parquet --pred 'logit_*' --target label
      losscli list
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are said on standard error."""
    arguments = list(sys.argv[1:] if args is None else args)
    try:
        code = program.main(arguments, prog_name="losscli", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except SystemExit as error:  # how completion ends
        return int(error.code or 0)
    except (PipeLeft, BrokenPipeError):
        return left_pipe()
    except (Terminated, KeyboardInterrupt, click.Abort) as end:
        return ended(end)
    except Exception as error:
        if Terminated.asked is not None:  # what was left half done on the way out
            return ended(Terminated(Terminated.asked))
        if "--traceback" in arguments:
            import traceback

            traceback.print_exc()
        return report(error)


def left_pipe() -> int:
    """The reader of standard output has left: what is still buffered goes nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.PIPE


def ended(end: BaseException) -> int:
    """Someone wanted the program to end; who pressed Ctrl-C is told that it has."""
    Terminated.heeded = True
    code = end.exit_code if isinstance(end, Terminated) else ExitCode.INTERRUPTED
    if code == ExitCode.INTERRUPTED:
        with contextlib.suppress(OSError):
            print("interrupted", file=sys.stderr)
    return code


def report(error: Exception) -> int:
    """Say what went wrong in one line, and what to do about it in another."""
    if _no_memory(error):
        message, hint, code = "out of memory", "", int(ExitCode.FILE)
    elif isinstance(error, LosscliError):
        message, hint, code = error.message, error.hint, int(error.exit_code)
    elif isinstance(error, click.ClickException):
        message, code = error.format_message(), int(ExitCode.USAGE)
        context = getattr(error, "ctx", None)
        hint = f"{context.command_path} --help" if context is not None else _help_of_command()
        if "unexpected extra argument" in message:
            hint = "a pattern is quoted, so that it reaches losscli whole: --data 'shards/*.csv'"
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            with contextlib.suppress(OSError):
                print(message, file=sys.stderr)
            return code
    elif isinstance(error, OSError):
        where = error.filename or ("standard output" if error.errno in _WRITING else None)
        what = error.strerror or str(error)
        message, hint, code = f"{where}: {what}" if where else what, "", int(ExitCode.FILE)
    else:
        message = f"a bug in losscli: {type(error).__name__}: {error}"
        hint, code = "--traceback shows where; please report it", int(ExitCode.INTERNAL)
    say("error", message)
    if hint:
        say("hint", hint)
    return code


def _no_memory(error: Exception) -> bool:
    """Whether there was no memory: for values, for a thread, or for a library to be loaded into."""
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    texts = ("can't start new thread", "failed to map segment", "cannot allocate memory")
    return isinstance(error, MemoryError) or any(text in str(error) for text in texts)


def _help_of_command() -> str:
    """The help of the command that was being parsed when click knew no better."""
    words = [word for word in sys.argv[1:3] if not word.startswith("-")]
    return " ".join(["losscli", *words[:2], "--help"])
