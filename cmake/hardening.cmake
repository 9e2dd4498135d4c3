# SPDX-License-Identifier: Apache-2.0
# Release is built hardened. Each flag is probed, because g++ 12 and clang 14 do not take the same
# ones; JW_HARDENING lists those that were taken, and `joulectl self hardening` prints the list.
# -ftrivial-auto-var-init is not among them: with it g++ 12.2 wrote wrong bytes into a copied struct
# (docs/adr/0014-no-automatic-initialization.md).
include(CheckCXXCompilerFlag)
set(JW_HARDENING "")
function(jw_harden flag)
  string(MAKE_C_IDENTIFIER "JW_HAS_${flag}" known)
  check_cxx_compiler_flag(${flag} ${known})
  if(${known})
    add_compile_options(${flag})
    set(JW_HARDENING "${JW_HARDENING} ${flag}" PARENT_SCOPE)
  endif()
endfunction()

if(NOT CMAKE_CROSSCOMPILING AND NOT JW_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  foreach(flag -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong
          -fstack-clash-protection -fno-delete-null-pointer-checks
          -fno-strict-overflow -fno-strict-aliasing)
    jw_harden(${flag})
  endforeach()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
    jw_harden(-fcf-protection=full)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    jw_harden(-mbranch-protection=standard)
  endif()
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  add_link_options(-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code
                   -Wl,--as-needed)
endif()
