"""Shared memory segments. The public class is in seawall.memory."""


from seawall.errors import SegmentError


cdef class Segment:
    """A mapped segment file. Thread safe; a forked child keeps using the parent's."""

    def __cinit__(self, path: str, size: int = 0, **_):
        cdef string where = path.encode()
        cdef uint64_t bytes = size
        try:
            with nogil:
                self.segment = new CppSegment(where, bytes)
        except RuntimeError as error:
            raise SegmentError(str(error)) from None

    def __dealloc__(self):
        del self.segment

    cdef SlotView slot(self, str name, str kind, uint64_t layout, uint64_t bytes,
                       const void* image, uint64_t image_bytes) except *:
        cdef string slot_name = name.encode()
        cdef string slot_kind = kind.encode()
        cdef CppSlot found
        cdef SlotView view
        if not 0 < slot_name.size() < 128 or "\0" in name:
            raise SegmentError(f"slot names have 1 to 127 bytes of UTF-8 without NUL, got {name!r}")
        try:
            with nogil:
                found = self.segment.slot(slot_name, slot_kind, layout, bytes, image, image_bytes)
        except RuntimeError as error:
            raise SegmentError(str(error)) from None
        view.state, view.bytes, view.created = found.state, found.bytes, found.created
        return view

    cdef int exclusively(self, Change change, void* argument) except -1:
        cdef Changing run
        run.change, run.argument = change, argument
        try:
            with nogil:
                self.segment.exclusively(run)
        except RuntimeError as error:
            raise SegmentError(str(error)) from None
        return 0

    def listing(self) -> list:
        """(name, kind, layout, bytes) of every slot."""
        return [(one.name.decode(), one.kind.decode(), one.layout, one.bytes) for one in self.segment.list()]

    @property
    def path(self) -> str:
        """The file behind the segment."""
        return self.segment.path().decode()

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.segment.size()

    @property
    def used(self) -> int:
        """Bytes taken by the header and the slots."""
        return self.segment.used()


def remove_file(path: str) -> bool:
    """Delete a segment file; False when there was none."""
    cdef string where = path.encode()
    try:
        return CppSegment.remove(where)
    except RuntimeError as error:
        raise SegmentError(str(error)) from None
