#!/bin/sh
# Prints the lines of a linker's map that belong to an allocator; none is the aim.
#
#   tests/build/list-allocators.sh MAP
set -eu

main() {
    # A symbol stands alone in the last column; an object of libc.a stands there in parentheses.
    functions='malloc|calloc|realloc|reallocarray|free|aligned_alloc|memalign|posix_memalign|valloc|brk|sbrk'
    grep -E \
        -e "[ (](__libc_|__simple_|__bump_|__lite_)?($functions)(\.lo\))?(:|\$)" \
        -e '[ (](__expand_heap|expand_heap|lite_malloc|donate|__malloc_[a-z_]*|__malloc_donate)(\.lo\))?(:|$)' \
        -e '__(rust|rg|rdl)_(alloc|dealloc|realloc)' "$1" || [ "$?" -eq 1 ]
}

main "$@"
