from libc.stdint cimport uint64_t


cdef struct SlotView:
    void* state        # 64-byte aligned, stays valid as long as the Segment object lives
    uint64_t bytes     # size of the state
    bint created       # this call created the slot


cdef class Segment:
    # Finds or creates the slot `name`. A new slot starts as `image` followed by zeros and becomes visible only when complete.
    # Raises SegmentError for a slot of another kind or layout. Comparing configurations is the caller's business.
    cdef SlotView slot(self, str name, str kind, uint64_t layout, uint64_t bytes,
                       const void* image, uint64_t image_bytes) except *
