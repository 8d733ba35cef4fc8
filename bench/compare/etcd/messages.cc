#include "bench/compare/etcd/messages.h"

namespace holdfast::bench::etcd {

void write_prefix(char* prefix, std::size_t length) {
  prefix[0] = 0;
  for (int i = 0; i < 4; ++i) prefix[1 + i] = static_cast<char>(length >> (24 - 8 * i));
}

std::size_t Messages::length_of(std::string_view prefix) {
  std::size_t length = 0;
  for (const char byte : prefix.substr(1, 4)) length = length << 8 | static_cast<unsigned char>(byte);
  return length;
}

}  // namespace holdfast::bench::etcd
