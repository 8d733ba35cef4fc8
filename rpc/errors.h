#pragma once

#include "base/result.h"
#include "schema/api.capnp.h"

namespace holdfast::rpc {

/// The two forms of an error: base/result.h inside, schema/api.capnp on the wire.
void write_error(const Error& error, schema::Error::Builder out);
Error read_error(schema::Error::Reader error);

}  // namespace holdfast::rpc
