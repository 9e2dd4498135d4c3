# SPDX-License-Identifier: Apache-2.0
# Bare-metal rv32imc (the instruction set of the ESP32-C3), runnable in QEMU.
# Debian packages: gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf
# libstdc++-arm-none-eabi-dev qemu-system-misc
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_CXX_COMPILER riscv64-unknown-elf-g++)
set(CMAKE_ASM_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
# Debian ships no libstdc++ for riscv64-unknown-elf. Its C++ *headers* are those of the
# arm-none-eabi package (same GCC 12.2, target-neutral); no C++ *library* is ever linked.
file(GLOB JW_CXX_HEADERS /usr/lib/arm-none-eabi/include/c++/12* /usr/include/newlib/c++/12*)
list(GET JW_CXX_HEADERS 0 JW_CXX_HEADERS)
set(arch "-march=rv32imc -mabi=ilp32 --specs=picolibc.specs")
set(CMAKE_C_FLAGS_INIT "${arch}")
set(CMAKE_ASM_FLAGS_INIT "${arch}")
string(JOIN " " CMAKE_CXX_FLAGS_INIT ${arch} -nostdinc++ -isystem ${JW_CXX_HEADERS}
  -isystem ${JW_CXX_HEADERS}/arm-none-eabi/thumb/v6-m/nofp -isystem ${JW_CXX_HEADERS}/arm-none-eabi
  -fno-threadsafe-statics -fno-use-cxa-atexit)
# Link with the C driver: g++ would insist on -lstdc++, which does not exist.
string(JOIN " " CMAKE_CXX_LINK_EXECUTABLE
  <CMAKE_C_COMPILER> ${arch} --oslib=semihost --crt0=semihost -Wl,--gc-sections
  -Wl,--defsym=__flash=0x80000000 -Wl,--defsym=__flash_size=0x00800000
  -Wl,--defsym=__ram=0x80800000 -Wl,--defsym=__ram_size=0x00400000 -Wl,--defsym=__stack_size=0x8000
  <LINK_FLAGS> <OBJECTS> -o <TARGET> <LINK_LIBRARIES>)
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-system-riscv32 -machine virt -bios none -nographic -monitor none -serial none
    -semihosting-config enable=on,target=native -kernel)
