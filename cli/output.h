#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "holdfast/types.h"

namespace holdfast::cli {

enum class Format { kText, kJson };

/// Everything a command says on standard output: for people, or one JSON object a line. Each call writes its
/// lines and flushes them, so that a watcher's reader sees an event when it happens.
///
/// JSON cannot carry arbitrary bytes: a key or value that is not UTF-8 comes as "key_base64" or
/// "value_base64".
class Output {
 public:
  explicit Output(Format format) : format_(format) {}

  Format format() const { return format_; }
  /// False once something could not be written.
  bool is_complete() const { return complete_; }

  void put(std::uint64_t revision);
  void got(const client::GetResult& result, const client::GetOptions& asked);
  void deleted(const client::DeleteResult& result);
  void changed(const client::WatchEvent& event);

  void lease_granted(const client::LeaseInfo& lease);
  void lease_kept(client::LeaseId lease, std::chrono::milliseconds ttl);
  void lease_revoked(client::LeaseId lease);
  void lease(const client::LeaseInfo& lease);
  void leases(const std::vector<client::LeaseInfo>& leases);

  void registered(const std::string& service, const std::string& id, client::LeaseId lease);
  void deregistered(const std::string& service, const std::string& id);
  void services(const std::vector<client::ServiceInfo>& services);
  void resolved(const std::string& service, const std::vector<client::Instance>& instances);

  void locked(const std::string& name, std::uint64_t token, client::LeaseId lease);
  void locks(const std::vector<client::LockInfo>& locks);

  void members(const client::Membership& membership);
  /// `how`: "added", "promoted".
  void member_changed(const std::string& how, const client::MemberChange& change);
  void member_removed(const client::MemberChange& change);
  void member_replaced(const std::string& replaced, const client::MemberChange& change);
  void leadership_transferred(const client::LeadershipTransfer& transfer);
  void status(const client::ClusterStatus& status);

 private:
  /// Calls the one of the two functions that the format asks for, and writes what it returns.
  template <typename ToText, typename ToJson>
  void show(const ToText& as_text, const ToJson& as_json);
  void write(const std::string& bytes);

  Format format_;
  bool complete_ = true;
};

}  // namespace holdfast::cli
