"""`losscli completion SHELL`: the script that completes commands, losses, options and files."""

import click
from click.shell_completion import get_completion_class

from losscli.cli.options import Command


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
      bash   losscli completion bash > ~/.local/share/bash-completion/completions/losscli
      zsh    losscli completion zsh > ~/.zfunc/_losscli      (with ~/.zfunc in fpath)
      fish   losscli completion fish > ~/.config/fish/completions/losscli.fish
    """
    cls = get_completion_class(shell)
    assert cls is not None
    program = ctx.find_root().command
    click.echo(cls(program, {}, "losscli", "_LOSSCLI_COMPLETE").source())
