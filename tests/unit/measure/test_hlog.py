"""HdrHistogram logs, written and read; that counts survive is a law in tests/property."""

import base64
import re
import struct
import zlib

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from seawall.measure import Histogram, HlogInterval, read_hlog, write_hlog


def of(*values):
    """A histogram of the values."""
    histogram = Histogram()
    histogram.record_many(values)
    return histogram


def line_of(**fields):
    """A log line with a payload made by hand."""
    fields = {"cookie": 0x1C849313, "offset": 0, "digits": 3, "lowest": 1000, "highest": 10**9, "ratio": 1.0, **fields}
    counts = fields.get("counts", b"\x02")
    head = [fields[k] for k in ("offset", "digits", "lowest", "highest", "ratio")]
    length = fields.get("length", len(counts))
    payload = zlib.compress(struct.pack(">IIIIQQd", fields["cookie"], length, *head) + counts)
    outer = struct.pack(">II", fields.get("outer", 0x1C849314), len(payload))
    return "0.0,1.0,0.0," + base64.b64encode(outer + payload).decode()


def test_a_log_has_version_start_legend_and_a_line_an_interval():
    """The text is laid out as HdrHistogram's writer does it, times in seconds and the maximum in milliseconds."""
    text = write_hlog(
        [HlogInterval(1700000000.25, 1.0, "checkout", of(0.25)), HlogInterval(1700000001.25, 0.5, None, of())]
    )
    *head, first, second = text.splitlines()
    assert head == [
        "#[Histogram log format version 1.3]",
        "#[StartTime: 1700000000.250 (seconds since epoch), Tue Nov 14 22:13:20 UTC 2023]",
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ]
    assert first.startswith("Tag=checkout,1700000000.250,1.000,250.000,HISTFAAAA")
    assert second.startswith("1700000001.250,0.500,0.000,HISTFAAAA")


def test_intervals_come_back_with_start_duration_and_tag():
    """read_hlog keeps apart what write_hlog put together."""
    intervals = [HlogInterval(5.0, 1.0, "a", of(0.1)), HlogInterval(6.0, 2.5, None, of(0.2, 0.3))]
    assert read_hlog(write_hlog(intervals)) == intervals


def test_plain_pairs_last_until_the_next_start():
    """Of (start, histogram) pairs each lasts until the next, and the last one lasts 0."""
    read = read_hlog(write_hlog([(10.0, of(0.1)), (12.0, of(0.2)), (13.0, of(0.3))]))
    assert [(one.start, one.duration) for one in read] == [(10.0, 2.0), (12.0, 1.0), (13.0, 0.0)]


def test_no_intervals_are_a_log_without_lines():
    """Writing nothing gives a header, which reads as nothing."""
    assert read_hlog(write_hlog([])) == []


def test_the_package_reads_the_log(tmp_path):
    """The published reader finds every interval, its tag, times and percentiles."""
    path = tmp_path / "log.hlog"
    path.write_text(write_hlog([HlogInterval(5.0, 1.0, "a", of(0.1, 0.2)), HlogInterval(6.0, 1.0, None, of(0.4))]))
    reader = HistogramLogReader(str(path), HdrHistogram(1, 2, 1))
    first, second = reader.get_next_interval_histogram(), reader.get_next_interval_histogram()
    assert (first.get_tag(), first.get_start_time_stamp(), first.get_total_count()) == ("a", 5000.0, 2)
    assert second.get_value_at_percentile(100) == pytest.approx(0.4e9, rel=1e-3)
    assert reader.get_next_interval_histogram() is None
    reader.close()


def test_starts_are_counted_from_the_base_time():
    """A BaseTime is added; without one, starts over a year before StartTime are taken to be relative to it."""
    interval = of(0.1).to_hlog(start=2.0).splitlines()[-1]
    assert read_hlog(f"#[BaseTime: 100.0 (seconds since epoch)]\n{interval}")[0].start == 102.0
    assert read_hlog(f"#[StartTime: 1700000000.0 (seconds since epoch), now]\n{interval}")[0].start == 1700000002.0
    assert read_hlog(f"#[StartTime: 1.0 (seconds since epoch), now]\n{interval}")[0].start == 2.0


def test_from_hlog_adds_all_intervals():
    """from_hlog is all intervals of the log in one histogram; sums and extremes are known up to a bucket."""
    merged = Histogram.from_hlog(write_hlog([(0.0, of(0.1, 0.2)), (1.0, of(0.4))]))
    assert merged == of(0.1, 0.2, 0.4)
    assert merged.sum == pytest.approx(0.7, rel=1e-3)
    assert (merged.min, merged.max) == (pytest.approx(0.1, rel=1e-3), pytest.approx(0.4, rel=1e-3))


def test_a_log_without_intervals_is_no_histogram():
    """from_hlog needs at least one interval to know the layout."""
    message = "the log holds no interval; a log line is: start,length,max,HISTFAAAA..."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Histogram.from_hlog("#[Histogram log format version 1.3]\n")


def test_a_line_made_by_hand_is_read():
    """The hand-made line of the tests below is sound until a test breaks it."""
    assert read_hlog(line_of())[0].histogram.count == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1.0,2.0", "not enough values to unpack (expected 4, got 2)"),
        ("1.0,2.0,3.0,!!!!", "the histogram is not base64 (Only base64 data is allowed)"),
        (line_of(outer=0x1C849301), "the histogram is not V2 compressed (cookie 0x1c849301, length 33)"),
        (line_of(cookie=0x1C849301), "the histogram is not V2 integer counts (cookie 0x1c849301, offset 0, ratio 1.0)"),
        (line_of(offset=3), "the histogram is not V2 integer counts (cookie 0x1c849313, offset 3, ratio 1.0)"),
        (line_of(ratio=0.5), "the histogram is not V2 integer counts (cookie 0x1c849313, offset 0, ratio 0.5)"),
        (line_of(digits=7), "no layout has lowest=1000, highest=1000000000, digits=7"),
        (line_of(lowest=0), "no layout has lowest=0, highest=1000000000, digits=3"),
        (line_of(counts=b"\x80"), "the counts are cut short or more than the layout has buckets"),
        (line_of(counts=b"\x02" * 20_000), "the counts are cut short or more than the layout has buckets"),
        (line_of(length=9), "1 bytes of counts where 9 were announced"),
        (line_of(length=0), "1 bytes of counts where 0 were announced"),
        (line_of(length=2**31), "2147483648 bytes of counts are more than the layout needs, 110592"),
    ],
)
def test_a_line_that_is_no_interval_is_refused(line, reason):
    """A malformed line is an error that says which line and why."""
    message = f"line 2 is not of an HdrHistogram log: {reason}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_hlog(f"#[a comment]\n{line}\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": -1.0}, "start and duration must be finite and not negative, got -1.0, 0.0; sort by start"),
        ({"duration": float("inf")}, "start and duration must be finite and not negative, got 0.0, inf; sort by start"),
        ({"tag": "a,b"}, "tag must be a word without commas and spaces, got 'a,b'; join its words by '_'"),
        ({"tag": ""}, "tag must be a word without commas and spaces, got ''; join its words by '_'"),
    ],
)
def test_an_interval_that_cannot_be_written_is_refused(options, message):
    """Times and tags that readers would misread are errors."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        of(0.1).to_hlog(**options)
