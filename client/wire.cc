#include "client/wire.h"

namespace holdfast::sdk {

Error read_error(schema::Error::Reader error) {
  return {static_cast<Errc>(error.getCode()), text_of(error.getMessage()), Revision(error.getRevision())};
}

std::string text_of(capnp::Text::Reader text) { return std::string(text.begin(), text.size()); }

std::string text_of(capnp::Data::Reader data) {
  return std::string(reinterpret_cast<const char*>(data.begin()), data.size());
}

capnp::Text::Reader text_reader(const std::string& text) { return {text.c_str(), text.size()}; }

capnp::Data::Reader data_reader(std::string_view bytes) {
  return {reinterpret_cast<const capnp::byte*>(bytes.data()), bytes.size()};
}

KeyRange KeyRange::of_key(std::string_view key) { return {std::string(key), std::string(key) + '\0'}; }

KeyRange KeyRange::of_prefix(std::string_view prefix) {
  // The first key behind all that begin with the prefix: its last byte that can grow, grown.
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) {
    end.pop_back();
  }
  if (!end.empty()) {
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  }
  return {std::string(prefix), end};
}

void KeyRange::fill(schema::Config::Range0::Builder range) const {
  range.setBegin(data_reader(begin));
  range.setEnd(data_reader(end));
}

Result<void> check_size(std::size_t bytes) {
  if (bytes > limits::kMaxRequestBytes) {
    return fail(Errc::kLimitExceeded, "the request has " + std::to_string(bytes) + " bytes, more than the " +
                                          std::to_string(limits::kMaxRequestBytes) +
                                          " of kMaxRequestBytes; store less in one value");
  }
  return {};
}

}  // namespace holdfast::sdk
