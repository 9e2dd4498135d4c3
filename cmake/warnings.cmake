# SPDX-License-Identifier: Apache-2.0
# What every target of the project is compiled with.
add_compile_options(-Wall -Wextra -Wundef -Wconversion -Wimplicit-fallthrough -Werror
                    -ffunction-sections -fdata-sections
                    -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.
                    -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)  # the last one rules __FILE__
if(JW_SANITIZE)
  add_compile_options(-fsanitize=${JW_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${JW_SANITIZE})
  if(JW_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize=vptr)  # core has no RTTI that the check could read
  endif()
  if(JW_SANITIZE MATCHES thread)
    add_compile_options(-Wno-tsan)
  endif()
endif()
if(JW_COVERAGE)
  add_compile_options(--coverage -O0 -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
