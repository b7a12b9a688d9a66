"""What to do about dead letters of a reason."""

from collections.abc import Mapping
from typing import Final

from stream.codec.dead_letter_reasons import MAX_BYTES, MAX_DEPTH, MAX_ID_BYTES, Reason

HELP: Final[Mapping[str, str]] = {
    Reason.NULL_VALUE: "The record has no value. Send interactions alone to this topic, no tombstones.",
    Reason.TOO_LARGE: f"An interaction has at most {MAX_BYTES:,} bytes. Send less with it.",
    Reason.NOT_UTF8: "Interactions are JSON in UTF-8. Set the encoding of the producer.",
    Reason.NOT_JSON: "The value is no JSON. Mend the producer's serializer; one of Avro or Protobuf has to write JSON "
    "to a topic of its own.",
    Reason.TOO_DEEP: f"At most {MAX_DEPTH} objects and lists inside one another are read. Send the properties flatter.",
    Reason.NOT_AN_OBJECT: "An interaction is one JSON object. A list of them has to be sent as a record each.",
    Reason.NO_EVENT_NAME: "Name what happened in `type` (Segment: `event`), or say by the setting map where it stands.",
    Reason.BAD_SUBJECT: "A customer or anonymous id is text or a whole number. Mend the producer.",
    Reason.ID_TOO_LONG: f"Ids and event names have at most {MAX_ID_BYTES} bytes. Mend the producer.",
    Reason.NO_SUBJECT: "Send a customer_id or an anonymous_id, or say with the setting map where it stands.",
    Reason.BLOCKED_SUBJECT: "The id stands for nobody. Mend the producer; if it is somebody's, take it out of the "
    "setting blocked.",
    Reason.BAD_SHAPE: "Properties, context and traits are objects, and envelopes are as their specification has them. "
    "Mend the producer.",
    Reason.BAD_TIME: "Send times in ISO 8601 or epoch milliseconds. If they are right, see the setting earliest_time.",
    Reason.UNPROCESSABLE: "Processing it failed twice, which is a bug of the product. Report it; replay these once it "
    "is mended.",
    Reason.UNREADABLE: "A damaged batch that `lifecycle skip` passed over. Send again what was in it.",
}
"""By reason; `lifecycle dead-letters replay` processes them once the cause is mended."""
