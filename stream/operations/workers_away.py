"""Whether workers run, where a command must be alone with their state."""

from stream.errors import LifecycleError
from stream.kafka.admin import admin_client, when_ready_for_groups
from stream.settings import Settings


async def running_workers(settings: Settings) -> list[str]:
    """The addresses of the consumer group's members.

    The embedded broker never forgets a member, nor does it know an address: there the list is always empty.
    """
    async with admin_client(settings) as admin:
        [answer] = await when_ready_for_groups(lambda: admin.describe_consumer_groups([settings.group]))
        group = answer.to_object()["groups"][0]
        return [host.lstrip("/") for each in group["members"] if (host := each["client_host"])]


async def require_no_workers(settings: Settings) -> None:
    """Raises LifecycleError where members of the consumer group are there."""
    hosts = await running_workers(settings)
    if hosts:
        raise LifecycleError(
            f"workers of group {settings.group} are running: {len(hosts)} on {', '.join(sorted(set(hosts)))}. "
            "Stop them and try again; one that was killed counts for "
            f"{settings.session_timeout / 1000:g} s more"
        )
