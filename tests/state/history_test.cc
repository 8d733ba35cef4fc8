#include "state/history.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::state;

namespace {

config::Change change_at(std::uint64_t revision, const std::string& key = "k", std::size_t bytes = 10) {
  return config::Change::put(key, std::string(bytes, 'v'), {Revision(1), Revision(revision), 1, {}});
}

std::vector<std::uint64_t> revisions_since(const History& history, std::uint64_t from) {
  std::vector<std::uint64_t> found;
  auto [next, end] = history.since(Revision(from));
  for (; next != end; ++next) found.push_back(next->revision().value());
  return found;
}

std::vector<HistoryPack> take_all(History& history) {
  std::vector<HistoryPack> all;
  for (auto packs = history.take(1); !packs.empty(); packs = history.take(1)) {
    REQUIRE(packs.size() == 1);
    all.push_back(packs[0]);
  }
  return all;
}

}  // namespace

TEST_CASE("history gives every change from a revision on, in order") {
  History history;
  for (std::uint64_t revision : {1, 3, 3, 4, 7}) history.append(change_at(revision));
  CHECK(revisions_since(history, 1) == std::vector<std::uint64_t>{1, 3, 3, 4, 7});
  CHECK(revisions_since(history, 2) == std::vector<std::uint64_t>{3, 3, 4, 7});
  CHECK(revisions_since(history, 3) == std::vector<std::uint64_t>{3, 3, 4, 7});
  CHECK(revisions_since(history, 8).empty());
}

TEST_CASE("a revision's changes stay in one pack, also when they are more than a pack is meant to hold") {
  History history;
  history.append(change_at(1));
  for (int i = 0; i < 2000; ++i) history.append(change_at(2, "k" + std::to_string(i)));
  history.append(change_at(3));
  history.freeze();
  const auto packs = take_all(history);
  REQUIRE(packs.size() == 2);
  CHECK(packs[0].first == Revision(1));
  CHECK(packs[0].last == Revision(2));
  CHECK(packs[1].first == Revision(3));
  CHECK(packs[0].changes.size() == 2001);
}

TEST_CASE("large changes make packs of fewer changes") {
  History history;
  for (std::uint64_t revision = 1; revision <= 10; ++revision) {
    history.append(change_at(revision, "k", 100 * 1024));
  }
  history.freeze();
  CHECK(take_all(history).size() == 4);
}

TEST_CASE("a pack gives back what went in, deletes and bytes of every kind included") {
  const std::vector<config::Change> changes = {
      config::Change::put(std::string_view("\0\xff k", 4), std::string_view("\xfe\0", 2),
                          {Revision(3), Revision(9), 4, LeaseId(7)}),
      config::Change::deletion("gone", Revision(10))};
  const auto read = decode_history(encode_history(changes)).value();
  CHECK(read == changes);
  CHECK(decode_history(Blob("not a pack at all")).error().code == Errc::kCorrupt);
}

TEST_CASE("memory keeps what is not durable, and of the rest only the newest part") {
  History history;
  for (std::uint64_t revision = 1; revision <= 100; ++revision) {
    history.append(change_at(revision, "k", 1000));
  }
  history.freeze();
  for (std::uint64_t revision = 101; revision <= 110; ++revision) {
    history.append(change_at(revision, "k", 1000));
  }
  take_all(history);
  CHECK(history.first_in_memory() == Revision(1));
  history.image_durable(50'000);
  CHECK_FALSE(history.trim());
  CHECK(history.first_in_memory() > Revision(40));
  CHECK(history.first_in_memory() < Revision(70));
  history.freeze();
  CHECK(take_all(history).size() == 1);
  history.image_durable(0);
  CHECK_FALSE(history.trim());
  CHECK(history.first_in_memory() == Revision(111));
  history.append(change_at(111));
  CHECK(revisions_since(history, 111) == std::vector<std::uint64_t>{111});
}

TEST_CASE("a large history is dropped in small steps, and is without a gap all the while") {
  History history;
  for (std::uint64_t revision = 1; revision <= 5000; ++revision) history.append(change_at(revision));
  history.freeze();
  take_all(history);
  history.image_durable(0);
  CHECK(history.trim());
  CHECK(history.first_in_memory() < Revision(5000));
  for (std::uint64_t revision = 5001; revision <= 10'000; ++revision) {
    history.append(change_at(revision));
    const Revision first = history.first_in_memory();
    const auto [next, end] = history.since(first);
    REQUIRE((next != end && next->revision() == first));
    REQUIRE(static_cast<std::uint64_t>(end - next) == revision - first.value() + 1);
  }
  CHECK(history.first_in_memory() == Revision(5001));
}

TEST_CASE("a large history is dropped although nothing is appended any more") {
  History history;
  for (std::uint64_t revision = 1; revision <= 5000; ++revision) history.append(change_at(revision));
  history.freeze();
  take_all(history);
  history.image_durable(0);
  int steps = 1;
  while (history.trim()) ++steps;
  CHECK(steps > 2);
  CHECK(history.first_in_memory() == Revision(5001));
}
