# holdfast_module(NAME [EXCLUDE file...] [LINK library...] [PRECOMPILE header...])
# A folder is a module: every .cc in it goes into the static library holdfast_NAME.
# Included as "NAME/header.h" from the top of the tree. LINK is public. PRECOMPILE names the heavy headers of others.
function(holdfast_module name)
  cmake_parse_arguments(ARG "" "" "EXCLUDE;LINK;PRECOMPILE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  foreach(excluded ${ARG_EXCLUDE})
    list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${excluded})
  endforeach()
  if(sources)
    add_library(holdfast_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(holdfast_${name} PRIVATE holdfast_warnings)
  else()
    add_library(holdfast_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(holdfast_${name} ${scope} ${CMAKE_SOURCE_DIR})
  target_link_libraries(holdfast_${name} ${scope} ${ARG_LINK})
  if(ARG_PRECOMPILE)
    target_precompile_headers(holdfast_${name} PRIVATE ${ARG_PRECOMPILE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # The first so that ccache can look inside; the second because GCC 12, which no longer knows KJ's headers for a
      # system's, finds an array smaller than the promise node that KJ means to place before it.
      target_compile_options(holdfast_${name} PRIVATE -fpch-preprocess -Wno-array-bounds)
    else()
      # What ccache kept is older than the precompiled header's sources look in a fresh tree.
      target_compile_options(holdfast_${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
endfunction()

# holdfast_test(NAME [TIMEOUT seconds] [REAL_TIME] [LINK library...]): every .cc of the current folder, one Catch2
# program test_NAME; each test case is a test of ctest, labelled NAME. REAL_TIME: its cases have deadlines on the real
# clock, so nothing else runs beside them on a small machine.
function(holdfast_test name)
  cmake_parse_arguments(ARG "REAL_TIME" "TIMEOUT" "LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE ${ARG_LINK} holdfast_catch holdfast_warnings)
  target_precompile_headers(test_${name} REUSE_FROM holdfast_catch)
  set(processors 1)
  if(ARG_REAL_TIME)
    set(processors 2)
  endif()
  catch_discover_tests(test_${name} TEST_PREFIX "${name}: "
                       PROPERTIES LABELS ${name} TIMEOUT ${ARG_TIMEOUT} PROCESSORS ${processors})
endfunction()

# Not -Wnon-virtual-dtor: KJ's and Cap'n Proto's interfaces, servers among them, have no virtual destructor, and
# -Wall already refuses to delete through one.
add_library(holdfast_warnings INTERFACE)
target_compile_options(holdfast_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow
                                                   -Woverloaded-virtual -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 takes the empty side of an optional or expected for a value that is read (false, at -O2 and above).
  target_compile_options(holdfast_warnings INTERFACE -Wno-maybe-uninitialized)
endif()
