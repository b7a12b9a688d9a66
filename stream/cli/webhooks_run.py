"""`lifecycle webhooks`: deliver stage changes until asked to stop."""

import logging
import os
import sys

import typer

from stream.cli.terminal.options import with_settings
from stream.cli.terminal.unknown_variables import unknown_variables
from stream.events import Event, report
from stream.logs import configure_logs
from stream.settings import Settings
from stream.webhook_role import Webhooks

log = logging.getLogger(__name__)


@with_settings(
    "bootstrap",
    "app",
    "topic_prefix",
    "webhooks",
    "webhook_allowed_hosts",
    "delivery",
    "partitions",
    "replication",
    "max_records",
    "session_timeout",
    "web_bind",
    "webhooks_port",
    "log_level",
    "log_format",
    "tracing",
)
def run_webhooks(ctx: typer.Context, *, settings: Settings) -> None:
    """Send stage changes to the endpoints of webhooks.yaml, each at least once and those of a customer in order.

    Start as many as you like: they share the customers. Changes from before the first start are not sent. What waits
    is kept in Kafka, and outlives every process. SIGTERM and Ctrl-C let requests under way end, and exit with 0.
    """
    if ctx.invoked_subcommand is not None:
        return
    configure_logs(settings)
    for warning in unknown_variables(os.environ):
        report(log.warning, Event.VARIABLE_UNKNOWN, "{warning}", warning=warning)
    sys.exit(Webhooks(settings).run())
