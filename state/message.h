#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/io.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "base/blob.h"
#include "base/limits.h"
#include "base/result.h"

/// Cap'n Proto messages as flat bytes: the form in which commands, outcomes and packs are kept.
namespace holdfast::state {

inline std::string_view view_of(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
inline std::string_view view_of(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}
inline std::string string_of(capnp::Text::Reader text) { return std::string(view_of(text)); }
inline std::string string_of(capnp::Data::Reader data) { return std::string(view_of(data)); }
inline capnp::Data::Reader data_of(std::string_view bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}

inline Blob blob_of(capnp::MessageBuilder& message) {
  const auto segments = message.getSegmentsForOutput();
  const std::size_t size = capnp::computeSerializedSizeInWords(segments) * sizeof(capnp::word);
  return Blob::written(size, [segments, size](char* to) {
    kj::ArrayOutputStream out(kj::arrayPtr(reinterpret_cast<kj::byte*>(to), size));
    capnp::writeMessage(out, segments);
  });
}

/// Calls `read` with the root of the message, and gives its result.
/// Errors: kCorrupt if the bytes are no such message; the library's exceptions end here.
template <typename Root, typename Read>
auto read_message(const Blob& blob, const Read& read)
    -> decltype(read(std::declval<typename Root::Reader>())) {
  const std::string_view bytes = blob.view();
  if (bytes.size() < sizeof(capnp::word) || bytes.size() % sizeof(capnp::word) != 0) {
    return fail(Errc::kCorrupt, "a message of " + std::to_string(bytes.size()) + " bytes is not whole words");
  }
  // The library trusts the number of segments, also when adding one to it overflows.
  std::uint32_t last_segment = 0;
  std::memcpy(&last_segment, bytes.data(), sizeof last_segment);
  if (last_segment >= limits::kMaxFrameSegments) {
    return fail(Errc::kCorrupt, "a message has more than 64 segments");
  }
  try {
    capnp::ReaderOptions options;
    options.traversalLimitInWords = 64 + 4 * bytes.size() / sizeof(capnp::word);
    options.nestingLimit = limits::kMaxNesting;
    capnp::FlatArrayMessageReader message(
        kj::arrayPtr(reinterpret_cast<const capnp::word*>(bytes.data()), bytes.size() / sizeof(capnp::word)),
        options);
    return read(message.template getRoot<Root>());
  } catch (const kj::Exception& exception) {
    return fail(Errc::kCorrupt, exception.getDescription().cStr());
  }
}

}  // namespace holdfast::state
