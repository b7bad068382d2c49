"""The ground of locks and elections: standing in line, having in hand, keeping alive, being told of the loss."""

from seawall.distributed._holding._acquirable import FENCING, NAMESPACE, Acquirable
from seawall.distributed._holding._blocks import Blocks
from seawall.distributed._holding._held import FencedHeld, Held
from seawall.distributed._holding._line import Patience, Place, Refused, Stand, enter, leave, patience
from seawall.distributed._holding._names import fresh, keys_of

__all__ = [
    "FENCING",
    "NAMESPACE",
    "Acquirable",
    "Blocks",
    "FencedHeld",
    "Held",
    "Patience",
    "Place",
    "Refused",
    "Stand",
    "enter",
    "fresh",
    "keys_of",
    "leave",
    "patience",
]
