# Tests that run the real programs. Each file is one test of ctest; within it, every test is a sentence.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

# holdfast_process_tests(LABEL FILE...): FILE is FILE_test.py in the current folder.
function(holdfast_process_tests label)
  foreach(file ${ARGN})
    add_test(NAME "${label}: ${file}" COMMAND ${Python3_EXECUTABLE} -B -m unittest -v ${file}_test
             WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set_tests_properties(
      "${label}: ${file}"
      PROPERTIES LABELS ${label} TIMEOUT 180 PROCESSORS 2 ENVIRONMENT
                 "HOLDFAST_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};PYTHONPATH=${CMAKE_SOURCE_DIR}/tests/cluster")
  endforeach()
endfunction()
