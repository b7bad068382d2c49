"""HdrHistogram logs: one line of text an interval, each with a compressed histogram in nanoseconds.

Source: HdrHistogram, HistogramLogWriter / HistogramLogReader (log format 1.3) and the V2 compressed encoding.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from seawall._core import bulk
from seawall._core import histogram as _kernel

if TYPE_CHECKING:
    from seawall.measure._histogram import Histogram

_PAYLOAD, _COMPRESSED, _WORD_SIZE_BITS = 0x1C849303, 0x1C849304, 0xF0
_OUTER = struct.Struct(">II")  # cookie, length
_INNER = struct.Struct(">IIIIQQd")  # cookie, length, index offset, digits, lowest, highest, ratio to doubles
_LEGEND = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'
_YEAR = 365 * 24 * 3600.0


class HlogInterval(NamedTuple):
    """One line of a log.

    Units: seconds; `start` is since the epoch, or since any zero you choose.
    """

    start: float
    duration: float
    tag: str | None
    histogram: Histogram


def write_hlog(intervals: Iterable[HlogInterval | tuple[float, Histogram]]) -> str:
    """An HdrHistogram log that published tools read with their defaults (nanoseconds inside, milliseconds shown).

    Args:
        intervals: In ascending order of start. A plain (start, histogram) lasts until the next start.

    Raises:
        ValueError: a start or duration is negative or not finite, or a tag holds a comma, a space or a line end.

    Example:
        >>> from seawall.measure import Histogram
        >>> quiet = Histogram()
        >>> print(write_hlog([(0.0, quiet), (1.0, quiet)]).splitlines()[0])
        #[Histogram log format version 1.3]
    """
    timed = _with_durations(list(intervals))
    lines = [_line(interval) for interval in timed]
    start = timed[0].start if timed else 0.0
    day = datetime.fromtimestamp(start, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    head = ["#[Histogram log format version 1.3]", f"#[StartTime: {start:.3f} (seconds since epoch), {day}]", _LEGEND]
    return "\n".join([*head, *lines, ""])


def read_hlog(text: str) -> list[HlogInterval]:
    """The intervals of an HdrHistogram log, with starts since the epoch where the log says how.

    Raises:
        ValueError: a line is malformed; the message names it.
    """
    start_time = base_time = None
    intervals = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.startswith("#[StartTime:"):
                start_time = float(line[12:].split()[0])
            elif line.startswith("#[BaseTime:"):
                base_time = float(line[11:].split()[0])
            elif line and line[0] not in '#"':
                interval = _interval(line)
                start_time = interval.start if start_time is None else start_time
                if base_time is None:  # a start over a year before StartTime is taken to be relative to it
                    base_time = start_time if interval.start < start_time - _YEAR else 0.0
                intervals.append(interval._replace(start=interval.start + base_time))
        except (ValueError, IndexError, struct.error, zlib.error) as error:
            raise ValueError(f"line {number} is not of an HdrHistogram log: {error}") from None
    return intervals


def _with_durations(intervals: list[HlogInterval | tuple[float, Histogram]]) -> list[HlogInterval]:
    starts = [interval[0] for interval in intervals]
    ends = [*starts[1:], starts[-1]] if starts else []
    return [
        one if isinstance(one, HlogInterval) else HlogInterval(one[0], end - one[0], None, one[1])
        for one, end in zip(intervals, ends, strict=True)
    ]


def _line(interval: HlogInterval) -> str:
    start, duration, tag, histogram = interval
    if not (0 <= start < math.inf and 0 <= duration < math.inf):
        raise ValueError(f"start and duration must be finite and not negative, got {start}, {duration}; sort by start")
    if tag is not None and (not tag or any(c in ", \r\n" for c in tag)):
        raise ValueError(f"tag must be a word without commas and spaces, got {tag!r}; join its words by '_'")
    largest = histogram.max * 1e3 if histogram.count else 0.0
    prefix = f"Tag={tag}," if tag is not None else ""
    return f"{prefix}{start:.3f},{duration:.3f},{largest:.3f},{_encode(histogram)}"


def _interval(line: str) -> HlogInterval:
    tag = None
    if line.startswith("Tag="):
        tag, _, line = line[4:].partition(",")
    start, duration, _, encoded = line.split(",", 3)
    return HlogInterval(float(start), float(duration), tag, _decode(encoded))


def _encode(histogram: Histogram) -> str:
    lowest, highest, digits = histogram._layout()[:3]
    counts = bulk.encode(histogram._capsule())
    # 0x10 in a cookie says "ZigZag LEB128 counts".
    payload = zlib.compress(_INNER.pack(_PAYLOAD | 0x10, len(counts), 0, digits, lowest, highest, 1.0) + counts)
    return base64.b64encode(_OUTER.pack(_COMPRESSED | 0x10, len(payload)) + payload).decode("ascii")


def _decode(encoded: str) -> Histogram:
    decoded = decode_counts(encoded)
    _estimate_summary(decoded)
    return decoded


def decode_counts(encoded: str) -> Histogram:
    """The layout and counts of a V2 compressed histogram; its sum and extremes are for the caller to add.

    Raises:
        ValueError: it is none.
    """
    from seawall.measure._histogram import Histogram  # it imports this module to offer it as methods

    try:
        raw = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the histogram is not base64 ({error})") from None
    cookie, length = _OUTER.unpack_from(raw)
    if cookie & ~_WORD_SIZE_BITS != _COMPRESSED or length != len(raw) - _OUTER.size:
        raise ValueError(f"the histogram is not V2 compressed (cookie {cookie:#x}, length {length})")
    unpacker = zlib.decompressobj()
    head = unpacker.decompress(raw[_OUTER.size :], _INNER.size)
    cookie, length, offset, digits, lowest, highest, ratio = _INNER.unpack(head)
    if cookie & ~_WORD_SIZE_BITS != _PAYLOAD or offset != 0 or ratio != 1.0:
        raise ValueError(f"the histogram is not V2 integer counts (cookie {cookie:#x}, offset {offset}, ratio {ratio})")
    decoded: Histogram = Histogram._of_layout((lowest, highest, digits))
    counts = _rest(unpacker, length, 9 * decoded._layout()[5])
    if not bulk.decode(decoded._capsule(), counts):
        raise ValueError("the counts are cut short or more than the layout has buckets")
    return decoded


def _rest(unpacker: zlib._Decompress, length: int, most: int) -> bytes:
    # `most` bytes hold any counts of the layout: a line cannot make the reader fill the memory.
    if length > most:
        raise ValueError(f"{length} bytes of counts are more than the layout needs, {most}")
    rest = unpacker.decompress(unpacker.unconsumed_tail, length + 1)
    if len(rest) != length:
        raise ValueError(f"{len(rest)} bytes of counts where {length} were announced")
    return rest


def _estimate_summary(histogram: _kernel.Histogram) -> None:
    counts, lows = bulk.counts(histogram._capsule()), bulk.lows(histogram._capsule())
    used = counts.nonzero()[0]
    if used.size == 0:
        return
    highest = histogram._layout()[1]
    middles = lows[used] + (lows[used + 1] - lows[used]) // 2
    total = sum(int(n) * int(middle) for n, middle in zip(counts[used], middles, strict=True))
    least, most = int(lows[used[0]]), int(lows[used[-1] + 1]) - 1
    histogram._add_summary(total, min(least, highest), min(most, highest), 0)
