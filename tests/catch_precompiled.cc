// Catch2's header is compiled once for all test programs; CMake does that only for a target with a source
// that uses it, and catch_main.cc cannot, since it configures the header first.
