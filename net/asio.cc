// The one place where asio's own functions are compiled: every other file sees declarations only
// (ASIO_SEPARATE_COMPILATION).
#include <asio/impl/src.hpp>
