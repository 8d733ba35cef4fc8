#include "tests/storage/reopenings.h"

#include <iostream>

namespace {

struct Count {
  ~Count() {
    if (reopenings > 0) std::cout << "crash_store reopenings=" << reopenings << "\n";
  }
  unsigned long reopenings = 0;
};

Count count;

}  // namespace

void count_reopening() { ++count.reopenings; }
