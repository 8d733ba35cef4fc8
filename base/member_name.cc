#include "base/member_name.h"

#include <algorithm>

#include "base/digest.h"
#include "base/limits.h"

namespace holdfast {

Result<void> check_member_name(const std::string& name) {
  if (name.empty() || name.size() > limits::kMaxNameBytes) {
    return fail(Errc::kInvalidArgument,
                "a member's name has 1 to " + std::to_string(limits::kMaxNameBytes) + " bytes");
  }
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
  if (plain) return {};
  return fail(Errc::kInvalidArgument,
              "member name \"" + name + "\" has other characters than letters, digits, '-', '_' and '.'");
}

MemberId member_id(ClusterId cluster, const std::string& name) {
  const std::uint64_t digest = Digest().add(cluster.value()).add(name).value();
  return MemberId(digest == 0 ? 1 : digest);  // zero means "none" for every id
}

}  // namespace holdfast
