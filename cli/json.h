#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/types.h"

/// The JSON shapes of the command line. Scripts read them: a key is never renamed, removed or given another
/// meaning.
namespace holdfast::cli {

/// Keys keep the order in which they were set.
using Json = nlohmann::ordered_json;

/// Sets object[name] to the bytes, or object[name + "_base64"] if they are not UTF-8.
void set_bytes(Json& object, const std::string& name, const std::string& bytes);
bool is_utf8(std::string_view bytes);
std::string base64(std::string_view bytes);

/// 16 hexadecimal digits; "" for none.
std::string lease_text(client::LeaseId lease);
/// 16 hexadecimal digits.
std::string id_text(std::uint64_t id);
std::string_view name_of(client::Health health);

Json to_json(const client::GetResult& result);
Json to_json(const client::WatchEvent& event);
Json to_json(const client::LeaseInfo& lease);
Json to_json(const std::vector<client::LeaseInfo>& leases);
Json to_json(const std::vector<client::ServiceInfo>& services);
Json to_json(const std::string& service, const std::vector<client::Instance>& instances);
Json to_json(const std::vector<client::LockInfo>& locks);
Json to_json(const client::ClusterStatus& status);
Json to_json(const client::Membership& membership);

}  // namespace holdfast::cli
