// Marks functions that are compiled several times where the loader can choose: for processors that work on four or
// eight keys side by side, and for all others.
#pragma once

#include <cstddef>  // any header of the library defines __GLIBC__

// Not under sanitizers, whose own start comes after that choice.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define SEAWALL_WIDE __attribute__((target_clones("avx2", "default")))
#if __GNUC__ >= 12  // the first that can choose by a level of the architecture
#define SEAWALL_WIDEST __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define SEAWALL_WIDEST SEAWALL_WIDE
#endif
#else
#define SEAWALL_WIDE
#define SEAWALL_WIDEST
#endif
