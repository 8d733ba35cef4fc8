#pragma once

#include <string>
#include <vector>

#include "base/callback.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "node/earliest.h"

namespace holdfast::node {

struct LeaderInfo {
  MemberId id;
  std::string name;
  std::string client_endpoint;  ///< empty until it was announced
};

/// Calls that wait until it is known who leads and where clients reach it.
class LeaderWaiters {
 public:
  using Done = Callback<void(Result<LeaderInfo>)>;

  void add(Instant deadline, Done done);
  bool empty() const { return waiting_.empty(); }
  void tell(const LeaderInfo& leader);
  void expire(Instant now);
  void fail_all(const Error& why);
  Instant due() const { return earliest_.due(); }

 private:
  struct Waiting {
    Instant deadline;
    Done done;
  };
  std::vector<Waiting> waiting_;
  Earliest earliest_;
};

}  // namespace holdfast::node
