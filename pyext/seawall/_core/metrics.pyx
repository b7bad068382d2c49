# cython: annotation_typing=False
# Annotations are for the stubs: a typed argument would be converted before it could be refused with a message of ours.
"""The table of metrics, its families and series. The public classes are in seawall.observe.metrics."""

import os

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.dict cimport PyDict_GetItem
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.ref cimport PyObject
from cpython.unicode cimport PyUnicode_CheckExact, PyUnicode_DecodeUTF8
from cython.operator cimport dereference
from libc.math cimport isfinite
from libc.stdint cimport uint64_t
from libc.string cimport memcpy
from libcpp cimport bool as cppbool
from libcpp.string cimport string
from libcpp.vector cimport vector

from seawall._core.clock cimport read_wall, wall_ns
from seawall._core.counter cimport checked_number
from seawall._core.histogram cimport Histogram as Measured, can_record, checked_slowly, to_integer
from seawall._core.segment cimport Segment, SlotView

from seawall.errors import SegmentError

cdef extern from *:
    """
    static inline seawall::metrics::Kind seawall_kind(unsigned long long n) { return static_cast<seawall::metrics::Kind>(n); }
    static inline seawall::metrics::Across seawall_across(unsigned long long n) { return static_cast<seawall::metrics::Across>(n); }
    """
    Kind seawall_kind(uint64_t) nogil
    Across seawall_across(uint64_t) nogil

cdef extern from *:
    """
    static PyMethodDef seawall_labels = {
        "labels", NULL, METH_FASTCALL | METH_KEYWORDS, "The series of these label values."};
    static PyObject* seawall_labels_of(PyTypeObject* owner, void* call) {
      seawall_labels.ml_meth = (PyCFunction)call;
      return PyDescr_NewMethod(owner, &seawall_labels);
    }
    """
    object seawall_labels_of(type owner, void* call)

cdef object ONE = 1  # the interpreter keeps a single 1, so the default is known by its address
cdef uint64_t TABLE_LAYOUT = 1
cdef double LARGEST = 9.2e18
cdef Py_ssize_t MOST_EXEMPLAR = 128  # characters of its labels, by OpenMetrics

count_forks()


cdef string utf8(text) except *:
    # A lone surrogate has no bytes: a name of a file may hold one, and a metric must not fail for that.
    return text.encode("utf-8", "replace")


cdef str text_of(string_view bytes):
    return PyUnicode_DecodeUTF8(bytes.data(), bytes.size(), "replace")


cdef string_view view_of(const string& bytes) noexcept nogil:
    return string_view(bytes.data(), bytes.size())


cdef class Table:
    """A table of metrics in memory of its own, or in a slot of a segment."""

    def __cinit__(self, Segment segment = None, str name = "metrics", bytes: int = 1 << 26, workers: int = 64, clock=None,
                  wall=None):
        cdef Head head
        cdef SlotView slot
        cdef uint64_t size = bytes, places = workers
        self.segment, self.clock = segment, clock
        read_wall(wall, &self.wall)
        if segment is None:
            self.block = new Block(size, 1)
            self.table = new CppTable(self.block.at(), NULL)
            self.generation = forks_now()
            return
        start_head(head, size, places)
        slot = segment.slot(name, "metrics", TABLE_LAYOUT, size, &head, sizeof(Head))
        self.table = new CppTable(slot.state, segment.segment)
        if not self.table.is_sound(slot.bytes):
            raise SegmentError(f"metrics {name!r} of the segment are damaged; remove the segment")
        self.generation = forks_now() - 1

    def __dealloc__(self):
        del self.table
        del self.block

    cdef int claim(self) except -1:
        cdef uint64_t pid = os.getpid()
        cdef uint64_t line = 0
        cdef uint32_t now = forks_now()
        if self.block == NULL:
            try:
                with nogil:
                    line = self.table.claim(pid, start_of(pid))
            except RuntimeError as error:
                raise SegmentError(str(error)) from None
        self.line, self.generation = line, now
        return 0

    cdef CppFamily* known(self, str name) except? NULL:
        cdef string text = utf8(name)
        return self.table.find_family(view_of(text))

    def define(self, name: str, kind: int, across: int, unit: str, help: str, labels: tuple, layout: tuple, bounds: tuple,
               max_series: int) -> bool:
        """Find or make the family of this name; False where there is no memory for it."""
        cdef Definition definition
        cdef uint64_t now = wall_ns(self.wall)
        cdef CppFamily* made
        definition.name, definition.unit, definition.help = utf8(name), utf8(unit), utf8(help)
        definition.kind, definition.across = seawall_kind(kind), seawall_across(across)
        definition.lowest, definition.highest, definition.digits = layout
        definition.max_series = max_series
        for bound in bounds:
            definition.bounds.push_back(bound)
        for label in labels:
            definition.labels.push_back(utf8(label))
        try:
            with nogil:
                made = self.table.family(definition, now)
        except RuntimeError as error:
            raise SegmentError(str(error)) from None
        return made != NULL

    def definition(self, name: str) -> object:
        """(kind, across, unit, help, labels, layout, bounds, max_series) of a family; None when there is none."""
        cdef CppFamily* family = self.known(name)
        return None if family == NULL else self.told(dereference(family))[1:]

    cdef tuple told(self, const CppFamily& family):
        cdef Texts texts = texts_of(family)
        cdef const uint64_t* bounds = bounds_of(family)
        name, unit, help = text_of(texts.next()), text_of(texts.next()), text_of(texts.next())
        labels = tuple([text_of(texts.next()) for _ in range(family.labels)])
        return (name, <uint64_t>family.kind, <uint64_t>family.across, unit, help, labels,
                (family.lowest, family.highest, family.digits), tuple([bounds[i] for i in range(family.bounds)]),
                family.max_series)

    def names(self) -> list:
        """(name, kind) of all families, the oldest first."""
        cdef vector[CppFamily*] families = self.table.families()
        return [(text_of(texts_of(dereference(one)).next()), <uint64_t>one.kind) for one in families]

    def read(self) -> list:
        """(definition, overflowed, series) of all families; a series is (label values, number, exemplar)."""
        cdef vector[CppFamily*] families
        cdef vector[Reading] readings
        cdef vector[cppbool] living
        cdef size_t i
        answer = []
        with nogil:
            families = self.table.families()
            living = self.table.living()
        for family in families:
            with nogil:
                readings = read_family(dereference(self.table), dereference(family), living)
            series = []
            for i in range(readings.size()):
                if i % 256 == 255:
                    with nogil:  # others want to run too
                        pass
                series.append(self.told_of(dereference(family), readings[i]))
            answer.append((self.told(dereference(family)), family.overflowed.load(), series))
        return answer

    def text(self, open: bool, created: bool, constant: dict) -> bytes:
        """Everything as Prometheus text, or with `open` as OpenMetrics text."""
        cdef Style style
        cdef string text
        cdef string part
        cdef Writer* writer
        cdef char* to
        style.open, style.created = open, created
        for name, value in constant.items():
            part = utf8(value)
            style.constant += utf8(name) + <string>b'="'
            put_escaped(style.constant, view_of(part))
            style.constant += <string>b'",'
        with nogil:
            writer = new Writer(dereference(self.table), style)
            try:
                text = writer.write()
            finally:
                del writer
        # Copied without the GIL: nobody else knows of the bytes yet.
        answer = PyBytes_FromStringAndSize(NULL, text.size())
        to = PyBytes_AS_STRING(answer)
        with nogil:
            memcpy(to, text.data(), text.size())
            string().swap(text)
        return answer

    cdef tuple told_of(self, const CppFamily& family, const Reading& one):
        cdef Texts texts = Texts(key_of(dereference(one.series)))
        values = tuple([text_of(texts.next()) for _ in range(family.labels)])
        if family.kind == Kind.gauge:
            number = one.number
        elif family.kind == Kind.counter:
            whole, part = one.amount.whole, one.amount.billionths
            number = float(whole) if part == 0 else (whole * 1_000_000_000 + part) / 1_000_000_000
        else:
            number = (PyBytes_FromStringAndSize(<const char*>one.places.data(), one.places.size() * 8),
                      PyBytes_FromStringAndSize(<const char*>one.counts.data(), one.counts.size() * 8),
                      ((int(one.sum_high) << 64) + one.sum_low) / 1_000_000_000)
        return values, number, self.told_example(one.example) if one.has_example else None

    cdef tuple told_example(self, const Example& example):
        cdef Texts texts = Texts(view_of(example.text))
        labels = []
        while not texts.done():
            labels.append((text_of(texts.next()), text_of(texts.next())))
        return tuple(labels), example.value, example.at_ns / 1e9

    @property
    def dropped(self) -> int:
        """Exemplars for which there was no memory, and processes that found no place as a worker."""
        return (<Word*>&self.table.head().dropped).load()

    @property
    def size(self) -> int:
        """Bytes of the whole table."""
        return self.table.head().bytes

    @property
    def used(self) -> int:
        """Bytes of it that are taken."""
        return (<Word*>&self.table.head().top).load()

    @property
    def workers(self) -> int:
        """How many processes have a place of their own for gauges."""
        return self.table.head().workers

    def living_workers(self) -> int:
        """How many processes that have set gauges live."""
        cdef vector[cppbool] living
        with nogil:
            living = self.table.living()
        return sum([1 for i in range(living.size() - 1) if living[i]])


cdef class Seat:
    """Where a series is; only a family makes one."""


cdef class Bound:
    """One series."""

    def __cinit__(self, Seat seat not None):
        self.table, self.family, self.series = seat.table, seat.family, seat.series

    @property
    def name(self) -> str:
        """Of the family."""
        return text_of(texts_of(dereference(self.family)).next())

    @property
    def label_values(self) -> dict:
        """By the names of the labels."""
        cdef Texts names = texts_of(dereference(self.family))
        cdef Texts values = Texts(key_of(dereference(self.series)))
        for _ in range(3):
            names.next()
        return {text_of(names.next()): text_of(values.next()) for _ in range(self.family.labels)}

    @property
    def clock(self) -> object:
        """By which durations are measured."""
        return self.table.clock

    cdef int example(self, double value, object exemplar) except -1:
        cdef string text
        cdef string part
        cdef Exemplar* into
        cdef Py_ssize_t size = 0
        if not hasattr(exemplar, "items"):
            raise TypeError(f"exemplar must be a mapping such as {{'trace_id': ...}}, got {exemplar!r}")
        for name, said in exemplar.items():
            name, said = str(name), str(said)
            size += len(name) + len(said)
            if not (name.isascii() and name.isidentifier()) or size > MOST_EXEMPLAR:
                return 0
            part = utf8(name)
            put_text(text, view_of(part))
            part = utf8(said)
            put_text(text, view_of(part))
        if text.size() <= kExemplarBytes:
            with nogil:
                into = self.table.table.exemplar(dereference(self.series))
            if into != NULL:
                write(dereference(into), value, wall_ns(self.table.wall), view_of(text))
        return 0


cdef class Counter(Bound):
    """A total that many threads and processes add to."""

    def __cinit__(self, Seat seat not None):
        self.cell = self.table.table.cell(dereference(self.series))

    def inc(self, n: float = 1, exemplar: object = None) -> None:
        """Add `n`, by default one."""
        if n is ONE:
            add(self.cell, 1)
        else:
            self.more(n)
        if exemplar is not None:
            self.example(n, exemplar)

    cdef int more(self, object n) except -1:
        cdef int beyond = 0
        cdef long long small = 0
        cdef double number
        if PyLong_CheckExact(n):
            small = PyLong_AsLongLongAndOverflow(n, &beyond)
            if beyond == 0 and small >= 0:
                add(self.cell, small)
                return 0
        number = checked_number("n", n)
        if number < 0.0:
            raise ValueError(f"n must not be negative, got {n}; a counter only rises, a gauge goes down too")
        if number >= LARGEST:
            raise ValueError(f"n must be below 9.2e18, got {n}; count in larger units")
        small = <long long>number
        # Before the whole ones, so that whoever was told of the sum finds at most this part more than it.
        if number != small:
            add_part(dereference(self.series), <uint64_t>((number - small) * 1e9 + 0.5))
        if small:
            add(self.cell, small)
        return 0

    def _raise_to(self, n: int) -> None:
        """Make the total at least `n`: it is kept elsewhere, and nobody adds here."""
        raise_to(self.cell, n)

    @property
    def value(self) -> float:
        """The total of all adds."""
        cdef Amount amount = amount_of(dereference(self.table.table), dereference(self.series))
        whole, part = amount.whole, amount.billionths
        return float(whole) if part == 0 else (whole * 1_000_000_000 + part) / 1_000_000_000


cdef class Gauge(Bound):
    """A number that goes up and down; each process has its own."""

    def __cinit__(self, Seat seat not None):
        self.last = <uint64_t>self.family.across == 3

    def set(self, x: float) -> None:
        """Make the value of this process `x`."""
        cdef double number = PyFloat_AS_DOUBLE(x) if PyFloat_CheckExact(x) and isfinite(PyFloat_AS_DOUBLE(x)) else checked_number("x", x)
        if self.table.generation != forks_now():
            self.table.claim()
        set(dereference(self.table.table), dereference(self.series), self.last, self.table.line, number)

    def inc(self, n: float = 1.0, /) -> None:
        """Add `n`, by default one."""
        self.by(checked_number("n", n))

    def dec(self, n: float = 1.0, /) -> None:
        """Take off `n`, by default one."""
        self.by(-checked_number("n", n))

    def _unset(self) -> None:
        """This process says nothing any more."""
        if self.table.generation != forks_now():
            self.table.claim()
        unset(dereference(self.table.table), dereference(self.series), self.table.line)

    cdef int by(self, double x) except -1:
        if self.table.generation != forks_now():
            self.table.claim()
        cdef Word* word = &gauge_word(dereference(self.table.table), dereference(self.series), self.table.line)
        if not move(dereference(word), x):
            raise ValueError(
                f"{number_of(word.load())} + {x} is beyond the largest float, 1.8e308; the gauge keeps its value")
        if self.last:  # what was moved was set last
            set(dereference(self.table.table), dereference(self.series), True, self.table.line, number_of(word.load()))
        return 0

    @property
    def value(self) -> float:
        """What this process has set, with every move since; 0.0 before."""
        if self.table.generation != forks_now():
            self.table.claim()
        return number_of(gauge_word(dereference(self.table.table), dereference(self.series), self.table.line).load())


cdef class Histogram(Bound):
    """How values are spread."""

    def __cinit__(self, Seat seat not None):
        self.view = self.table.table.histogram(dereference(self.family), dereference(self.series))

    def observe(self, value: float, exemplar: object = None) -> None:
        """Count one value."""
        cdef double number
        if PyFloat_CheckExact(value) and can_record(PyFloat_AS_DOUBLE(value)):
            number = PyFloat_AS_DOUBLE(value)
        else:
            number = checked_slowly("value", value)
        self.view.record(to_integer(number))
        if exemplar is not None:
            self.example(number, exemplar)

    def _follow(self, Measured source not None, Measured taken not None) -> None:
        """Add what `source` holds more than `taken`, which is private and holds it then too; all have one layout."""
        if not (self.view.layout == source.view.layout and self.view.layout == taken.view.layout):
            raise ValueError("a histogram is followed by one of the same layout")
        with nogil:
            follow(self.view, source.view, taken.view)


cdef class Labelled:
    """A family: one series for each combination of label values."""

    def __cinit__(self, Table table not None, str name, type kind):
        self.family = table.known(name)
        if self.family == NULL:
            raise ValueError(f"there is no family {name!r}")
        self.table, self.name, self.kind = table, name, kind
        self.known, self.crowd = {}, None
        self.label_names = table.told(dereference(self.family))[5]

    def labels(self, *values: object, **named: object) -> object:
        """The series of these label values."""
        if not named and len(values) == len(self.label_names):
            return self.find(values)
        if not values and named.keys() == frozenset(self.label_names):
            return self.find(tuple([named[name] for name in self.label_names]))
        raise ValueError(
            f"{self.name} has the labels ({', '.join(self.label_names)}), got {list(values) or ''}{sorted(named) if named else ''}; "
            "give the values in their order, or all by name")

    cdef object find(self, tuple values):
        cdef string key, part
        cdef CppSeries* series
        cdef uint64_t now = wall_ns(self.table.wall)
        texts = tuple([str.__str__(value) if isinstance(value, str) else str(value) for value in values])
        known = texts[0] if len(texts) == 1 else texts
        found = self.known.get(known)
        if found is not None:
            return found
        for text in texts:
            part = utf8(text)
            put_text(key, view_of(part))
        with nogil:
            series = self.table.table.series(dereference(self.family), view_of(key), now)
        if series == NULL or self.table.table.offset_of(series) == self.family.overflow:
            if self.crowd is None:
                self.crowd = self.bound(series)
            return self.crowd
        made = self.known[known] = self.bound(series)
        return made

    cdef object bound(self, CppSeries* series):
        cdef Seat seat = Seat.__new__(Seat)
        seat.table, seat.family, seat.series = self.table, self.family, series
        return self.kind.__new__(self.kind, seat)


cdef object labels_fast(object self, PyObject** values, Py_ssize_t n, PyObject* names):
    """`labels` without a tuple and a dictionary of its arguments, where the series is known."""
    cdef Labelled family = <Labelled>self
    cdef PyObject* found = NULL
    cdef Py_ssize_t i
    cdef tuple given
    if names == NULL and n == 1 and PyUnicode_CheckExact(<object>values[0]):
        found = PyDict_GetItem(family.known, <object>values[0])
        if found != NULL:
            return <object>found
    given = tuple([<object>values[i] for i in range(n)]) if n != 2 else (<object>values[0], <object>values[1])
    if names == NULL and n > 1:
        for i in range(n):
            if not PyUnicode_CheckExact(<object>values[i]):
                break
        else:
            found = PyDict_GetItem(family.known, given)
            if found != NULL:
                return <object>found
    named = {} if names == NULL else {name: <object>values[n + i] for i, name in enumerate(<tuple>names)}
    return Labelled.labels(family, *given, **named)


def quick_labels(cls: type) -> type:
    """Give a class of families the quick `labels`; a class decorator.

    Cython makes a tuple and a dictionary for `*values, **named` at each call, which costs as much as finding the series.
    """
    cls.labels = seawall_labels_of(cls, <void*>labels_fast)
    return cls
