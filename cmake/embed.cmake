# SPDX-License-Identifier: Apache-2.0
# Makes files part of a library:
# jw_embed(TARGET DEPENDS FILE... ARGUMENTS NAME=FILE... --folder NAME=FOLDER)
function(jw_embed target)
  cmake_parse_arguments(embed "" "" "DEPENDS;ARGUMENTS" ${ARGN})
  set(base ${CMAKE_CURRENT_BINARY_DIR}/embedded)
  set(script ${PROJECT_SOURCE_DIR}/tools/embed.py)
  add_custom_command(OUTPUT ${base}.S ${base}.cpp
    COMMAND ${Python3_EXECUTABLE} ${script} ${base} ${embed_ARGUMENTS}
    DEPENDS ${script} ${embed_DEPENDS} VERBATIM)
  # The assembler reads the files themselves, which the compiler's dependency list does not show.
  set_source_files_properties(${base}.S PROPERTIES OBJECT_DEPENDS "${script};${embed_DEPENDS}")
  target_sources(${target} PRIVATE ${base}.S ${base}.cpp)
endfunction()
