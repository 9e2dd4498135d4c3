#!/bin/bash -eu
# SPDX-License-Identifier: Apache-2.0
# Builds every fuzz target with the compiler, flags and engine that OSS-Fuzz sets: the core has no
# dependency, so its sources are compiled straight, without the other presets' libraries.
cd "$SRC/jouleway"
mapfile -t core < <(find core -name '*.cpp' ! -name '*_test.cpp' ! -name test_main.cpp)
objects=()
for source in "${core[@]}" fuzz/check_failed.cpp; do
    object="$WORK/${source//\//_}.o"
    $CXX $CXXFLAGS -std=c++20 -I. -c "$source" -o "$object"
    objects+=("$object")
done
# Each row of fuzz/CMakeLists.txt reads: fuzz_decoder(<target> <folder of vectors>)
sed -n 's/^fuzz_decoder(\(\w*\) \([a-z_/0-9]*\).*/\1 \2/p' fuzz/CMakeLists.txt |
    while read -r target vectors; do
        $CXX $CXXFLAGS -std=c++20 -I. "fuzz/$target.cpp" "${objects[@]}" \
            $LIB_FUZZING_ENGINE -o "$OUT/fuzz_$target"
        python3 tools/seeds.py "vectors/$vectors" "$WORK/seeds/$target"
        zip -jqr "$OUT/fuzz_${target}_seed_corpus.zip" "$WORK/seeds/$target"
    done
