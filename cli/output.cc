#include "cli/output.h"

#include <cstdio>

#include "cli/arguments.h"
#include "cli/json.h"
#include "cli/text.h"

namespace holdfast::cli {

template <typename ToText, typename ToJson>
void Output::show(const ToText& as_text, const ToJson& as_json) {
  if (format_ == Format::kText) {
    write(as_text());
  } else {
    // Names are not checked as keys and values are: what is not UTF-8 in them is replaced.
    write(as_json().dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
}

void Output::write(const std::string& bytes) {
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
  if (std::fflush(stdout) != 0 || !written) complete_ = false;
}

void Output::put(std::uint64_t revision) {
  show([&] { return "revision " + std::to_string(revision) + "\n"; },
       [&] {
         return Json{{"revision", revision}};
       });
}

void Output::got(const client::GetResult& result, const client::GetOptions& asked) {
  show([&] { return to_text(result, asked); }, [&] { return to_json(result); });
}

void Output::deleted(const client::DeleteResult& result) {
  show(
      [&] {
        return std::to_string(result.deleted) + " deleted, revision " + std::to_string(result.revision) +
               "\n";
      },
      [&] {
        return Json{{"revision", result.revision}, {"deleted", result.deleted}};
      });
}

void Output::changed(const client::WatchEvent& event) {
  show([&] { return to_text(event); }, [&] { return to_json(event); });
}

void Output::lease_granted(const client::LeaseInfo& lease) {
  show([&] { return lease_text(lease.lease) + "\n"; },
       [&] {
         return Json{{"lease", lease_text(lease.lease)}, {"ttl_ms", lease.ttl.count()}};
       });
}

void Output::lease_kept(client::LeaseId lease, std::chrono::milliseconds ttl) {
  show([&] { return "lease " + lease_text(lease) + " kept for " + to_text(ttl) + "\n"; },
       [&] {
         return Json{{"lease", lease_text(lease)}, {"ttl_ms", ttl.count()}};
       });
}

void Output::lease_revoked(client::LeaseId lease) {
  show([&] { return "lease " + lease_text(lease) + " revoked\n"; },
       [&] {
         return Json{{"lease", lease_text(lease)}};
       });
}

void Output::lease(const client::LeaseInfo& lease) {
  show([&] { return to_text(lease); }, [&] { return to_json(lease); });
}

void Output::leases(const std::vector<client::LeaseInfo>& leases) {
  show([&] { return to_text(leases); }, [&] { return to_json(leases); });
}

void Output::registered(const std::string& service, const std::string& id, client::LeaseId lease) {
  show([&] { return service + "/" + id + " registered under lease " + lease_text(lease) + "\n"; },
       [&] {
         return Json{{"service", service}, {"id", id}, {"lease", lease_text(lease)}};
       });
}

void Output::deregistered(const std::string& service, const std::string& id) {
  show([&] { return service + "/" + id + " deregistered\n"; },
       [&] {
         return Json{{"service", service}, {"id", id}};
       });
}

void Output::services(const std::vector<client::ServiceInfo>& services) {
  show([&] { return to_text(services); }, [&] { return to_json(services); });
}

void Output::resolved(const std::string& service, const std::vector<client::Instance>& instances) {
  show([&] { return to_text(service, instances); }, [&] { return to_json(service, instances); });
}

void Output::locked(const std::string& name, std::uint64_t token, client::LeaseId lease) {
  show(
      [&] {
        return "lock " + name + " held, token " + std::to_string(token) + ", lease " + lease_text(lease) +
               "\n";
      },
      [&] {
        return Json{{"lock", name}, {"token", token}, {"lease", lease_text(lease)}};
      });
}

void Output::locks(const std::vector<client::LockInfo>& locks) {
  show([&] { return to_text(locks); }, [&] { return to_json(locks); });
}

void Output::members(const client::Membership& membership) {
  show([&] { return to_text(membership); }, [&] { return to_json(membership); });
}

void Output::member_changed(const std::string& how, const client::MemberChange& change) {
  show([&] { return "member " + change.name + " " + how + ": a " + change.part + "\n"; },
       [&] {
         return Json{{"id", id_text(change.id)}, {"name", change.name}, {"role", change.part}};
       });
}

void Output::member_removed(const client::MemberChange& change) {
  show([&] { return "member " + change.name + " removed\n"; },
       [&] {
         return Json{{"id", id_text(change.id)}, {"name", change.name}};
       });
}

void Output::member_replaced(const std::string& replaced, const client::MemberChange& change) {
  show(
      [&] { return "member " + replaced + " replaced by " + change.name + ", a " + change.part + "\n"; },
      [&] {
        return Json{
            {"id", id_text(change.id)}, {"name", change.name}, {"role", change.part}, {"replaced", replaced}};
      });
}

void Output::leadership_transferred(const client::LeadershipTransfer& transfer) {
  show([&] { return transfer.leader + " leads in term " + std::to_string(transfer.term) + "\n"; },
       [&] {
         return Json{{"leader", transfer.leader}, {"term", transfer.term}};
       });
}

void Output::status(const client::ClusterStatus& status) {
  show([&] { return to_text(status); }, [&] { return to_json(status); });
}

}  // namespace holdfast::cli
