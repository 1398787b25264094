"""The `seatrial` command: which commands there are, and how mistakes are told.

A command's module is imported when the command is used, so `seatrial --help` loads next to nothing. Whatever a user can
get wrong becomes one line on stderr that begins with `seatrial: `, and exit code 2; an interrupt becomes exit code 130.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any, NoReturn

import click

from seatrial.cli.mistakes import as_fault, as_line
from seatrial.cli.problems import closest
from seatrial.cli.words import examples
from seatrial.errors import SeatrialError

__all__ = ["COMMANDS", "INTERRUPTED", "MISTAKE", "main"]

MISTAKE = 2
"""The exit code for what the user can mend."""
INTERRUPTED = 130
"""The exit code of a run that was interrupted, as shells give it for SIGINT."""

_BUG = 70
_TRACEBACK = "--traceback"

COMMANDS = {
    "new": ("seatrial.cli.new", "Write a session and a strategy to begin with."),
    "run": ("seatrial.cli.run", "Run a session and print what it came to."),
    "sessions": ("seatrial.cli.sessions", "List past runs, or print the schema of session files."),
    "summary": ("seatrial.cli.past", "Print what a run came to."),
    "orders": ("seatrial.cli.past", "List the orders of a run."),
    "why": ("seatrial.cli.past", "Tell why an order became what it is."),
    "checkpoints": ("seatrial.cli.past", "List the checkpoints of a run."),
    "conform": ("seatrial.cli.conform", "Put an engine to every case of the contract."),
    "engines": ("seatrial.cli.offers", "List the engines that can run a session."),
    "rules": ("seatrial.cli.offers", "List the risk rules that a session can name."),
    "latency-models": ("seatrial.cli.offers", "List what a session can say about latency."),
    "plugins": ("seatrial.cli.offers", "List what is installed, and what failed to load."),
}
"""The commands: each with its module, which has it under its own name, and its help in one line."""


class _Commands(click.Group):
    """A group that knows its commands by name alone, and tells every mistake in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name.replace("-", "_"))
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = closest(args[0], COMMANDS) or "; `seatrial --help` lists them"
            ctx.fail(f"there is no command {args[0]!r}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 - click's signature
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002, FBT001, FBT002 - click's signature
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002 - click's signature
        **extra: Any,
    ) -> NoReturn:
        """Run a command line and leave with its exit code."""
        given = list(sys.argv[1:] if args is None else args) or ["--help"]
        told = _TRACEBACK in given
        try:
            code = super().main(
                [argument for argument in given if argument != _TRACEBACK],
                "seatrial",
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read our output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(INTERRUPTED)
        except (click.Abort, KeyboardInterrupt):
            _tell("stopped")
            sys.exit(INTERRUPTED)
        except click.ClickException as error:
            _tell(_usage(error))
            sys.exit(MISTAKE)
        except (SeatrialError, OSError) as error:
            if told:
                traceback.print_exc()
            _tell(as_line(error))
            sys.exit(MISTAKE)
        except Exception as error:  # noqa: BLE001 - a fault of ours is told in one line too
            if told:
                traceback.print_exc()
            _tell(f"this is a fault of seatrial's own: {as_fault(error)}; --traceback shows where, please report it")
            sys.exit(_BUG)
        sys.exit(code if isinstance(code, int) else 0)


def _tell(line: str) -> None:
    click.echo(f"seatrial: {' '.join(line.split())}", err=True)


def _usage(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split()).rstrip(".").replace(". Did you mean", "; did you mean")
    message = message.replace("issing argument 'RUN'", "issing argument 'RUN': give a run's id, its path, or `latest`")
    context = getattr(error, "ctx", None)
    message = message[:1].lower() + message[1:]
    where = f"; see `{context.command_path} --help`" if context is not None and "--help" not in message else ""
    return f"{message}{where}"


@click.group(
    "seatrial",
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples("seatrial new", "seatrial run session.toml", "seatrial orders latest", "seatrial run --help"),
)
@click.version_option(version("seatrial"), prog_name="seatrial", message="%(prog)s %(version)s")
@click.option("--traceback", is_flag=True, expose_value=False, help="Show where in the program an error arose.")
def main() -> None:
    """Run trading strategies through the delays, refusals and crashes of real execution.

    A session file says what trades, on which data, by which strategy, under which delays, limits and costs. Each run of
    it leaves a folder in `runs`, which the other commands read: RUN is its name, its path, or `latest`.
    """
