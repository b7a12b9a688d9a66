"""Stage changes that wait by the hundred thousand, packed: what they have in common is not kept with each.

For memory alone; what is written down stays JSON, so that no version of the product has to know another's dictionary.
"""

import zlib
from typing import Final

_COMMON: Final = (
    b'"trigger":{"kind":"deadline","id":null,"type":null,"late":false},'
    b'"channels":["email","push","ads"],"actions":["welcome_series","cross_sell","win_back_coupon"],'
    b'"facts":{"orders":0,"revenue":0.0,"country":"","last_purchase":17,"email":"@example.com",'
    b'"contributions":{"engagement":[{"signal":"visited","points":1.0,"count":1},{"signal":"spent","points":10.0,"count":1}],'
    b'"scores":{"engagement":0.0,"value":0.0},"transition":"orders >= 1","trigger":{"kind":"interaction","id":"",'
    b'"type":"page","late":false},"source":{"topic":"interactions","partition":0,"offset":10'
    b'{"anonymous_id":"","identified":false,{"customer_id":"","identified":true,"lifecycle":"shop","version":1,'
    b'"born":"0-1","sequence":1,"final":true,"from":"lead","to":"customer","at":17,"entered":17'
)
"""What most changes say, the likeliest last: zlib finds repetitions of it."""
_LEVEL: Final = 1


def pack(value: bytes) -> bytes:
    """A change's value in about a third of its bytes."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, 4, zlib.Z_DEFAULT_STRATEGY, _COMMON)
    return packer.compress(value) + packer.flush()


def unpack(packed: bytes) -> bytes:
    """The value that `pack` was given."""
    return zlib.decompressobj(-zlib.MAX_WBITS, _COMMON).decompress(packed)
