#include "lease/lease_table.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::lease;

TEST_CASE("a lease is live from its grant until it is marked as ending") {
  LeaseTable table;
  CHECK_FALSE(table.is_live(LeaseId(7)));
  table.grant(LeaseId(7), milliseconds(500));
  CHECK(table.is_live(LeaseId(7)));
  CHECK(table.find(LeaseId(7))->ttl == milliseconds(500));
  CHECK(table.end(LeaseId(7)));
  CHECK_FALSE(table.is_live(LeaseId(7)));
  CHECK(table.find(LeaseId(7))->ending);
}

TEST_CASE("ending a lease twice is no error, ending one that never was is") {
  LeaseTable table;
  table.grant(LeaseId(7), milliseconds(500));
  CHECK(table.end(LeaseId(7)));
  CHECK(table.end(LeaseId(7)));
  CHECK_FALSE(table.end(LeaseId(8)));
  table.remove(LeaseId(7));
  CHECK_FALSE(table.end(LeaseId(7)));
}

TEST_CASE("ending leases are listed in order of id until they are removed") {
  LeaseTable table;
  for (std::uint64_t id : {5, 3, 9, 4}) table.grant(LeaseId(id), milliseconds(500));
  table.end(LeaseId(9));
  table.end(LeaseId(3));
  CHECK(table.ending() == std::vector<LeaseId>{LeaseId(3), LeaseId(9)});
  table.remove(LeaseId(3));
  CHECK(table.ending() == std::vector<LeaseId>{LeaseId(9)});
  CHECK(table.all().size() == 3);
}

TEST_CASE("a loaded lease that was ending goes on ending") {
  LeaseTable table;
  table.load({LeaseId(3), milliseconds(500), true});
  table.load({LeaseId(4), milliseconds(500), false});
  CHECK(table.ending() == std::vector<LeaseId>{LeaseId(3)});
  CHECK(table.is_live(LeaseId(4)));
  CHECK(table.pending() == 0);
}
