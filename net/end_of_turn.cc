#include "net/end_of_turn.h"

namespace holdfast::net {

asio::execution_context::id EndOfTurn::id;

}  // namespace holdfast::net
