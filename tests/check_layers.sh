#!/bin/sh
# core <- autograd <- nn <- models <- examples: a folder includes only from itself and from the folders to
# its left, and so do the rooms of models. Also: only core/blas.cpp includes cblas.h, only
# core/processes_mpi.cpp mpi.h, and only core/threads.* names OpenMP's functions, and its test, which allows
# OpenMP what the pool refuses. And what depends on the flags of a build, tiles and vectors, stays out of the
# headers that .packaging/install.sh installs.
set -u
cd "$(dirname "$0")/.."
failed=0
complain() {
    echo "$1" >&2
    failed=1
}
upward() {  # folder, pattern of the folders to its right
    found=$(grep -rnE "#include \"($2)/" "$1" --include='*.h' --include='*.cpp') &&
        complain "$1 must not include from ($2):
$found"
}
upward core 'autograd|nn|models|examples|tests'
upward autograd 'nn|models|examples|tests'
upward nn 'models|examples|tests'
upward models 'examples|tests'
upward examples 'tests'
# The rooms of models: text <- transformer <- generation <- training.
upward models/text 'models/(transformer|generation|training)'
upward models/transformer 'models/(generation|training)'
upward models/generation 'models/training'
found=$(grep -rnE '#include <(cblas|omp)\.h>' core autograd nn models examples tests --include='*.h' --include='*.cpp' |
    grep -vE '^(core/(blas|threads)|tests/core/threads_test)\.cpp:') && complain "cblas.h and omp.h have one place each:
$found"
found=$(grep -rn '#include <mpi\.h>' core autograd nn models examples tests --include='*.h' --include='*.cpp' |
    grep -v '^core/processes_mpi\.cpp:') && complain "mpi.h has one place:
$found"
found=$(grep -rnE '#include "core/(tiles/|vector_type\.h)' core autograd nn models --include='*.h' |
    grep -v '^core/tiles/') && complain "these headers are installed, and what they include is not:
$found"
[ $failed = 0 ] && echo "layers: core <- autograd <- nn <- models <- examples holds"
exit $failed
