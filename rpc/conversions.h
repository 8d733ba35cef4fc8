#pragma once

#include "base/ids.h"
#include "base/limits.h"
#include "config/config_table.h"
#include "lock/lock_table.h"
#include "registry/registry_table.h"
#include "schema/api.capnp.h"
#include "state/command.h"

/// Structs of the wire to what the machine takes, and what it holds to structs of the wire. Nothing is
/// checked here: state/validate.h does that.
namespace holdfast::rpc {

config::KeyRange read_range(schema::Config::Range0::Reader range);
config::Put read_put(schema::Config::Put::Reader put);
config::Delete read_delete(schema::Config::Delete::Reader remove);
/// With `keys_only`, the value is left out.
void write_entry(const config::Change& row, bool keys_only, schema::Config::KeyValue::Builder out);
void write_change(const config::Change& change, schema::Config::Change::Builder out);

state::RegisterInstance read_registration(schema::Registry::RegisterParams::Reader params);
registry::Filter read_filter(schema::Registry::Filter::Reader filter);
void write_instance(const registry::Instance& instance, schema::Registry::Instance::Builder out);
void write_change(const registry::Change& change, schema::Registry::Change::Builder out);

lock::Acquire read_acquire(schema::Locks::Acquire::Reader acquire);
/// `now`: what held and waiting times are counted to.
void write_lock(const std::string& name, const lock::Lock& lock, ClusterTime now,
                schema::Locks::Lock::Builder out);

/// What is not paged is at most so large, in bytes: it fits a frame, with what wire_bytes() leaves out.
constexpr std::size_t kMaxAnswerBytes = 3 * limits::kMiB;
static_assert(kMaxAnswerBytes < limits::kMaxClientFrameBytes);

/// About what it takes in a message, in bytes: for keeping replies below a frame.
std::size_t wire_bytes(const config::Change& change, bool keys_only);
std::size_t wire_bytes(const registry::Instance& instance);
std::size_t wire_bytes(const std::string& text);
std::size_t wire_bytes(const std::string& name, const lock::Lock& lock);

}  // namespace holdfast::rpc
