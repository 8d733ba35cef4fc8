#pragma once

#include <kj/async.h>

#include <string>

#include "base/result.h"
#include "client/engine.h"
#include "holdfast/types.h"
#include "schema/api.capnp.h"

/// The configuration's calls. Thread: the I/O thread.
namespace holdfast::sdk {

kj::Promise<Result<std::uint64_t>> put(Engine& engine, std::string key, std::string value,
                                       client::PutOptions options);
/// A range that is larger than one answer comes in pages, all of one revision.
kj::Promise<Result<client::GetResult>> get(Engine& engine, std::string key, client::GetOptions options);
kj::Promise<Result<client::DeleteResult>> remove(Engine& engine, std::string key,
                                                 client::DeleteOptions options);

client::KeyValue read_key_value(schema::Config::KeyValue::Reader entry);

}  // namespace holdfast::sdk
