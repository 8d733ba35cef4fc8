#pragma once

#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "base/random.h"
#include "raft/messages.h"
#include "tests/sim/links.h"
#include "tests/sim/schedule.h"
#include "tests/sim/verdict.h"

namespace holdfast::sim {

struct NetworkOptions {
  double loss_percent = 0;
  double duplicate_percent = 0;
  Duration fastest = Duration(100);
  Duration slowest = milliseconds(3);
  double straggler_percent = 1;  ///< takes up to ten times `slowest`... and so overtakes and is overtaken
};

/// Carries messages between members, badly.
class Network {
 public:
  using Deliver = std::function<void(const Greeting& from, raft::Message)>;

  Network(Schedule& schedule, Verdict& verdict, Random random, NetworkOptions options, Deliver deliver);

  void send(const Greeting& from, raft::Message message);

  /// One way only.
  void cut(MemberId from, MemberId to) { cuts_.insert({from, to}); }
  void heal() { cuts_.clear(); }
  bool connected(MemberId from, MemberId to) const { return cuts_.count({from, to}) == 0; }
  /// One way: what is sent waits, and comes when it is unclogged, late and out of order.
  void clog(MemberId from, MemberId to) { clogged_.insert({from, to}); }
  void unclog();
  /// From here on nothing is lost, repeated or late.
  void calm();

  // For calls between clients and members.
  bool loses() { return random_.chance(options_.loss_percent / 2); }
  Duration delay();
  /// Now and then a request comes when nobody counts on it any more.
  Duration request_delay();

 private:
  struct Letter {
    Greeting from;
    raft::Message message;
  };
  void carry(Letter letter);

  Schedule& schedule_;
  Verdict& verdict_;
  Random random_;
  NetworkOptions options_;
  Deliver deliver_;
  std::set<std::pair<MemberId, MemberId>> cuts_;
  std::set<std::pair<MemberId, MemberId>> clogged_;
  std::vector<Letter> held_;
};

}  // namespace holdfast::sim
