#include "rpc/errors.h"

#include "rpc/texts.h"

namespace holdfast::rpc {

void write_error(const Error& error, schema::Error::Builder out) {
  out.setCode(static_cast<std::uint16_t>(error.code));
  out.setMessage(as_text(error.message));
  out.setRevision(error.revision.value());
}

Error read_error(schema::Error::Reader error) {
  return Error{static_cast<Errc>(error.getCode()), to_string(error.getMessage()),
               Revision(error.getRevision())};
}

}  // namespace holdfast::rpc
