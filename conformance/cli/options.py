"""Flags that several verbs share, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from conformance.control import Control

F = TypeVar("F", bound=Callable[..., Any])

DATA = Path("acrmock-data")
OUT = Path("acrmock-out")


class NamedPath(click.Path):
    """A path that is not empty: Python would take none for the directory in which one happens to be."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; refuses an empty one."""
        if value == "":
            self.fail("an empty path; for the current directory say .", param, ctx)
        return super().convert(value, param, ctx)


class OverlayType(click.ParamType):  # type: ignore[type-arg] # generic only in newer releases of click
    """An overlay: the name of a shipped one, or a file."""

    name = "NAME|FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The overlay's file; what is a file is one, whatever its name."""
        if isinstance(value, Path) or Path(value).is_file():
            return Path(value)
        from acrmock.facts.shipped import overlays

        shipped = overlays()
        if value not in shipped:
            self.fail(f"{value!r} is neither a file nor one of {', '.join(shipped)}", param, ctx)
        return shipped[value]


class ShippedOption(click.Option):
    """An option whose help ends with the names that acrmock ships, which are looked up only when the help is read."""

    def __init__(self, *args: Any, names: Callable[[], Iterable[str]], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.names = names
        self.said = self.help

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option as the help shows it, with the names."""
        self.help = f"{self.said} Shipped: {', '.join(self.names())}."
        return super().get_help_record(ctx)


def _profiles() -> Iterable[str]:
    from acrmock.facts import shipped
    from acrmock.facts.layer import Kind

    return sorted({path.stem.rpartition("-")[0] for path in shipped.files(Kind.PROFILE)})


def _overlays() -> Iterable[str]:
    from acrmock.facts import shipped

    return shipped.overlays()


def profile_option(what: str) -> Callable[[F], F]:
    """`--profile NAME`."""
    said = f"{what}; several: lcsr+cdsr."
    return click.option(
        "--profile", cls=ShippedOption, names=_profiles, metavar="NAME", default="lcsr", show_default=True, help=said
    )


READABLE = NamedPath(exists=True, dir_okay=False, readable=True, path_type=Path)


class Format(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    HTML = "html"
    MARKDOWN = "markdown"


def format_option(*formats: Format) -> Callable[[F], F]:
    """`--format`, with the formats that make sense here (all of a result's when none is named)."""
    choices = [str(one) for one in formats or tuple(Format)]
    return click.option(
        "--format",
        "format_",
        type=click.Choice(choices),
        default="text",
        show_default=True,
        help="How to print it on standard output.",
    )


def out_option(function: F) -> F:
    """`--out DIR`."""
    return click.option(
        "--out",
        type=NamedPath(file_okay=False, path_type=Path),
        default=OUT,
        show_default="./acrmock-out",
        help="Where the files go.",
    )(function)


def overlay_option(function: F) -> F:
    """`--overlay FILE`, repeatable."""
    return click.option(
        "--overlay",
        "overlays",
        cls=ShippedOption,
        names=_overlays,
        type=OverlayType(),
        multiple=True,
        help="Facts to put over the published ones; repeats.",
    )(function)


def server_options(function: F) -> F:
    """`--server`, `--ca-file`, `--token` and `--data`: which server is spoken to."""
    options: tuple[Callable[[F], F], ...] = (
        click.option("--server", metavar="URL", help="A server that is running; default: that of --data."),
        click.option("--ca-file", type=READABLE, metavar="PEM", help="Its certificate authority; default: from --data."),
        click.option("--token", envvar="ACRMOCK_TOKEN", show_envvar=True, help="Its control token; default: from --data."),
        data_option,
    )
    return _apply(function, options)


def whose_options(of_what: str) -> Callable[[F], F]:
    """`--application` and `--environment`: whose things of that sort are meant."""

    def options(function: F) -> F:
        environments = click.Choice(["test", "production"])
        function = click.option("--environment", type=environments, default="test", show_default=True)(function)
        return click.option("--application", default="default", show_default=True, help=f"Whose {of_what}.")(function)

    return options


def connected(*, server: str | None, ca_file: Path | None, token: str | None, data: Path) -> Control:
    """The control client of the server that `server_options` name."""
    from conformance.runs.servers import ServerChoice, connect

    return connect(ServerChoice(url=server, token=token, ca_file=ca_file, data=data))


def data_option(function: F) -> F:
    """`--data DIR`."""
    return click.option(
        "--data",
        type=NamedPath(file_okay=False, path_type=Path),
        default=DATA,
        show_default="./acrmock-data",
        help="The server's directory.",
    )(function)


def registration_options(function: F) -> F:
    """Everything that `register` and `certify` say of an application."""
    options: tuple[Callable[[F], F], ...] = (
        click.option("--name", help="Name of the application; people read it on the sign-in page."),
        click.option("--redirect-url", multiple=True, metavar="URL", help="Where the browser comes back to, https; repeats."),
        click.option("--post-logout-url", multiple=True, metavar="URL", help="Where a browser may go after a logout; repeats."),
        click.option("--ip", multiple=True, metavar="CIDR", help="Address that you will declare to ACR; repeats."),
        click.option(
            "--local-source", multiple=True, metavar="CIDR", help="Address your client has here; repeats. Default: loopback."
        ),
        click.option(
            "--registry",
            multiple=True,
            metavar="R[:VERSION]",
            help="Registry, and version if not the newest (cdsr has none); repeats.",
        ),
        click.option("--logo", type=READABLE, help="PNG of 150 x 40 pixels."),
        click.option("--link", metavar="URL", help="Web page that the logo links to."),
        click.option("--facility", type=click.IntRange(1, 1000), metavar="N", help="How many test facilities. Default: 2."),
        click.option("--user", multiple=True, metavar="NAME:FACILITY", help="A test user and its facility (1, 2, …); repeats."),
        click.option("--dicom", multiple=True, metavar="AE", help="Calling AE title that your dose reports come from; repeats."),
        click.option(
            "--station", multiple=True, metavar="NAME", help="Station Name whose dose reports go on to the registry; repeats."
        ),
        click.option("--guide", metavar="VERSION", help="Version of the sign-in guide (1.5, next). Default: the current one."),
        click.option("--environment", type=click.Choice(["test", "production"]), help="Default: test."),
        click.option("--application", metavar="ID", help="An application that is there, to add an environment to."),
    )
    return _apply(function, options)


def judging_options(function: F) -> F:
    """What narrows or changes what is judged."""
    options: tuple[Callable[[F], F], ...] = (
        click.option("--only", multiple=True, metavar="GROUP|CHECK", help="Judge only this; repeats."),
        click.option(
            "--claim",
            "claims",
            multiple=True,
            help="What your client can do (logo, follow-up, update, offline; rdim, tls-dicom); repeats.",
        ),
        click.option("--baseline", type=READABLE, help="Checks expected to fail, one a line: 0 if just they fail."),
    )
    return _apply(function, options)


def _apply(function: F, options: tuple[Callable[[F], F], ...]) -> F:
    for option in reversed(options):
        function = option(function)
    return function
