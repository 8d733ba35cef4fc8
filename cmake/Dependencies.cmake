# Everything below is a Debian package; scripts/deps installs them.
find_package(Threads REQUIRED)
find_package(CapnProto 0.9 CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(tl-expected CONFIG REQUIRED)
find_package(tomlplusplus CONFIG REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(benchmark CONFIG REQUIRED)

# A shared library costs each process some 30 KiB of memory, however little of it is used, and behind Abseil's hash
# table there are 31 of them. The same packages bring archives.
get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
list(FILTER imported INCLUDE REGEX "^(absl|CapnProto)::")
foreach(library IN LISTS imported)
  foreach(location IMPORTED_LOCATION IMPORTED_LOCATION_NONE)
    get_target_property(shared ${library} ${location})
    string(REGEX REPLACE "(-[0-9.]+)?\\.so[0-9.]*$" ".a" archive "${shared}")
    if(NOT archive STREQUAL shared AND EXISTS ${archive})
      set_target_properties(${library} PROPERTIES ${location} ${archive})
    endif()
  endforeach()
endforeach()

# asio in separate-compilation mode: net/asio.cc alone holds its implementation. Untold, it finds out in each file anew
# whether there is an aligned_alloc, by what that file has included before: some would allocate by it what others delete.
find_path(HOLDFAST_ASIO_INCLUDE asio.hpp REQUIRED)
add_library(holdfast_asio INTERFACE)
target_include_directories(holdfast_asio SYSTEM INTERFACE ${HOLDFAST_ASIO_INCLUDE})
target_compile_definitions(holdfast_asio INTERFACE ASIO_STANDALONE ASIO_SEPARATE_COMPILATION ASIO_NO_DEPRECATED
                                                   ASIO_DISABLE_STD_ALIGNED_ALLOC)
target_link_libraries(holdfast_asio INTERFACE Threads::Threads)

# Nearly every call of an asynchronous library is an allocation: see docs/PERFORMANCE.md. Linking it replaces malloc.
add_library(holdfast_allocator INTERFACE)
if(HOLDFAST_MIMALLOC)
  find_library(HOLDFAST_MIMALLOC_LIBRARY mimalloc REQUIRED)
  target_link_libraries(holdfast_allocator
                        INTERFACE -Wl,--push-state,--no-as-needed ${HOLDFAST_MIMALLOC_LIBRARY} -Wl,--pop-state)
endif()

find_program(HOLDFAST_CCACHE ccache)
if(HOLDFAST_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers are cached too; worktrees and clones share what they compile.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${HOLDFAST_CCACHE})
endif()
find_program(HOLDFAST_MOLD mold)
if(HOLDFAST_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
