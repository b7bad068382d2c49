"""The compiled modules: thin bindings over the C++ kernels in csrc. Not public; the rooms above give them a face."""
