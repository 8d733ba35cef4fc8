#pragma once

#include <kj/async.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/limits.h"
#include "base/result.h"
#include "schema/api.capnp.h"

/// Between the service's messages and the SDK's own types.
namespace holdfast::sdk {

Error read_error(schema::Error::Reader error);
std::string text_of(capnp::Text::Reader text);
std::string text_of(capnp::Data::Reader data);
capnp::Text::Reader text_reader(const std::string& text);
capnp::Data::Reader data_reader(std::string_view bytes);

/// The range of one key, or of all keys that begin with it.
struct KeyRange {
  std::string begin;
  std::string end;  ///< exclusive; empty: to the last key

  static KeyRange of_key(std::string_view key);
  static KeyRange of_prefix(std::string_view prefix);
  static KeyRange of(std::string_view key, bool prefix) { return prefix ? of_prefix(key) : of_key(key); }
  void fill(schema::Config::Range0::Builder range) const;
};

/// A request that the connection would refuse is refused here, where the error can say why.
Result<void> check_size(std::size_t bytes);

/// Sends `request` and reads its outcome; `read` makes the result from the outcome's ok.
/// Errors: what the service answered; kLimitExceeded. Weather comes as an exception.
template <typename T, typename Request, typename Read>
kj::Promise<Result<T>> submit(Request&& request, Read read) {
  if (auto checked = check_size(request.asReader().totalSize().wordCount * sizeof(capnp::word)); !checked) {
    return Result<T>(fail(checked.error()));
  }
  return request.send().then([read = std::move(read)](auto&& response) mutable -> Result<T> {
    auto outcome = response.getOutcome();
    if (outcome.isError()) {
      return fail(read_error(outcome.getError()));
    }
    return read(outcome.getOk());
  });
}

}  // namespace holdfast::sdk
