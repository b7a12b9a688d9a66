"""`lifecycle worker`: score interactions until asked to stop."""

import logging
import os
import sys
from typing import Annotated

import typer

from stream.app import application
from stream.cli.terminal.options import with_settings
from stream.cli.terminal.unknown_variables import unknown_variables
from stream.events import Event, report
from stream.logs import configure_logs
from stream.settings import Settings

log = logging.getLogger(__name__)


@with_settings(
    "bootstrap",
    "app",
    "topic_prefix",
    "lifecycles",
    "delivery",
    "clock",
    "live_from",
    "grace",
    "forget_after",
    "forget_identified_after",
    "blocked",
    "ids",
    "earliest_time",
    "map",
    "interactions",
    "partitions",
    "replication",
    "retention",
    "partitioner",
    "apply_edits",
    "max_records",
    "session_timeout",
    "web_bind",
    "web_port",
    "log_level",
    "log_format",
    "tracing",
)
def worker(
    *,
    demo: Annotated[bool, typer.Option("--demo", hidden=True, help="It is the worker of `lifecycle demo`.")] = False,
    settings: Settings,
) -> None:
    """Read interactions, keep scores and stages, write stage changes; start as many as there are cores.

    Topics are created where they are missing. A broker that is away is waited for. SIGTERM and Ctrl-C end
    the running transaction, leave the group and exit with 0; an error that would only happen again ends the
    worker with 1.
    """
    configure_logs(settings)
    for warning in unknown_variables(os.environ):
        report(log.warning, Event.VARIABLE_UNKNOWN, "{warning}", warning=warning)
    sys.exit(application(settings, demo=demo).run())
