// Whether the files for vector instruction sets are built: they choose their target by pragma, which GCC alone supports.
// Elsewhere the scalar versions serve every kernel; results are the same.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define HEML_VECTOR_FILES 1
#endif
